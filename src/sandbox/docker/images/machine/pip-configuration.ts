/**
 * The host's pip configuration, for the container that runs pip: mirror, credentials and certificates of the user. It goes into that
 * container only, which is removed afterwards; no image ever contains it.
 */
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

export interface PipConfiguration {
  /** Files to put into the container: path without the leading slash, and content. */
  readonly files: ReadonlyArray<{ readonly name: string; readonly data: Buffer }>
  readonly environment: Readonly<Record<string, string>>
}

/** Variables that tell where packages come from. Others (targets, logs, caches) are about the host's own disk. */
const VARIABLES = [
  'PIP_INDEX_URL',
  'PIP_EXTRA_INDEX_URL',
  'PIP_NO_INDEX',
  'PIP_TRUSTED_HOST',
  'PIP_PROXY',
  'PIP_DEFAULT_TIMEOUT',
  'PIP_TIMEOUT',
  'PIP_RETRIES',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
]

const CERTIFICATES = 'etc/hearth-certificates.pem'

export async function pipConfiguration(
  environment: NodeJS.ProcessEnv = process.env,
  home: string = homedir(),
): Promise<PipConfiguration> {
  const files: Array<{ name: string; data: Buffer }> = []
  const passed: Record<string, string> = { PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_ROOT_USER_ACTION: 'ignore' }
  for (const name of VARIABLES) {
    const value = environment[name]
    if (value) passed[name] = value
  }

  const places: ReadonlyArray<readonly [string | undefined, string]> = [
    ['/etc/pip.conf', 'etc/pip.conf'],
    [join(home, '.pip', 'pip.conf'), 'root/.pip/pip.conf'],
    [join(environment.XDG_CONFIG_HOME ?? join(home, '.config'), 'pip', 'pip.conf'), 'root/.config/pip/pip.conf'],
    [environment.PIP_CONFIG_FILE, 'etc/hearth-pip.conf'],
  ]
  let certificate = environment.PIP_CERT
  for (const [path, name] of places) {
    const data = path === undefined ? undefined : await readFile(path).catch(() => undefined)
    if (data === undefined) continue
    files.push({ name, data })
    if (name === 'etc/hearth-pip.conf') passed.PIP_CONFIG_FILE = `/${name}`
    certificate ??= /^\s*cert\s*=\s*(\S+)/m.exec(data.toString())?.[1]
  }

  certificate ??= environment.REQUESTS_CA_BUNDLE ?? environment.CURL_CA_BUNDLE ?? environment.SSL_CERT_FILE
  const bundle = certificate === undefined ? undefined : await readFile(certificate).catch(() => undefined)
  if (bundle !== undefined) {
    files.push({ name: CERTIFICATES, data: bundle })
    // Wins over `cert` in a configuration file, whose path is the host's.
    passed.PIP_CERT = `/${CERTIFICATES}`
  }
  return { files, environment: passed }
}
