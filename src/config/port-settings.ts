/** Settings of the public port: who may reach it, and by which names. */
import { setting } from './setting.ts'
import { onOff, textList } from './values.ts'

const NAME = /^[0-9A-Za-z](?:[0-9A-Za-z-]*[0-9A-Za-z])?(?:\.[0-9A-Za-z](?:[0-9A-Za-z-]*[0-9A-Za-z])?)*$/
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/(?:[0-9A-Za-z_.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/

export const PORT_SETTINGS = {
  allowAnonymous: setting({
    env: 'HEARTH_ALLOW_ANONYMOUS',
    form: 'on|off',
    description:
      'Whether the host may listen on an address that other machines can reach. Hearth does not authenticate requests: anyone who reaches the port can do everything.',
    schema: onOff(),
    fallback: () => false,
  }),
  publicNames: setting({
    env: 'HEARTH_PUBLIC_NAMES',
    form: 'NAME,…',
    description:
      'Further host names (with a dot) that clients use for this host. Hearth refuses requests for other names, because a web page can make its own name point to this machine.',
    schema: textList(NAME, 'must be host names without port, for example lambda.example.org'),
    fallback: () => [],
    defaultText: 'none',
  }),
  allowedOrigins: setting({
    env: 'HEARTH_ALLOWED_ORIGINS',
    form: 'ORIGIN,…',
    description:
      'Origins whose web pages may call the Lambda API from a browser (CORS). They can never call /_hearth or download code.',
    schema: textList(
      ORIGIN,
      'must be origins such as https://app.example.org or http://localhost:3000, each with scheme and without path; * and null cannot be allowed',
    ),
    fallback: () => [],
    defaultText: 'none',
  }),
} as const
