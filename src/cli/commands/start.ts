import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import type { Config } from '../../config.ts'
import { putExample } from '../example.ts'
import { CliError } from '../failure.ts'
import { HostClient } from '../host-client.ts'
import { createHostLog } from '../host-log.ts'
import { errorColours, goOnWithoutReader, note, printJson } from '../output.ts'
import { projectFolder } from '../project.ts'
import { loadSettings, type SettingFlags, withSettings } from '../setting-flags.ts'
import { listenForStop } from '../stop-signals.ts'
import { example, withJson } from './shared.ts'

interface Options extends SettingFlags {
  readonly example?: string
  readonly json?: boolean
}

/** Exit status after a second Ctrl-C, as a shell reports a process that SIGINT ended. */
const KILLED = 130

export function startCommand(): Command {
  const command = new Command('start')
    .description(
      'start the host in the foreground; Ctrl-C lets running invokes finish and then stops, a second Ctrl-C stops at once',
    )
    .option('--example <name>', 'deploy examples/NAME as the function NAME if it does not exist')
    .addHelpText(
      'after',
      example(
        'hearth start',
        'hearth start --example hello --port 9100',
        'HEARTH_DATA=/var/lib/hearth hearth start --log-format json',
      ),
    )
    .action(start)
  return withJson(withSettings(command))
}

async function start(options: Options): Promise<void> {
  const loaded = loadSettings(options)
  const { config } = loaded
  if (options.example !== undefined) findExample(options.example)
  const signals = listenForStop(() => process.exit(KILLED))
  const log = createHostLog(config)
  for (const warning of loaded.warnings) log.warn(warning)
  goOnWithoutReader()
  // Hearth runs on Node.js 20 too; the SDK would say in the midst of the log that its own support for it ends.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
  const { startHost } = await import('../../main.ts')
  const host = await startHost(config, { log, sources: loaded.sources })
  let stopping = false
  const stopped = signals.stopped.then(() => {
    stopping = true
  })
  note(errorColours.green(`Hearth answers at ${host.url}  (region ${config.region}, account ${config.accountId})`))
  const deployed =
    options.example === undefined
      ? undefined
      : await Promise.race([deployExample(options.example, host.url, config), stopped])
  if (!stopping) {
    if (options.json) printJson({ endpoint: host.url, example: deployed ?? null })
    else if (deployed !== undefined) note(invitation(host.url, config.region, deployed))
    note(`Ready. Ctrl-C lets running invokes finish (at most ${config.drainTimeout} s) and then stops the host.`)
  }
  await stopped
  note('Stopping: running invokes may finish. Press Ctrl-C again to stop at once.')
  const left = await host.close()
  note(
    left.length === 0
      ? 'Stopped.'
      : `Stopped. These did not close: ${left.join(', ')}. The next start removes what they left.`,
  )
  // Whatever an example's deployment still waits for must not keep a stopped host alive.
  process.exit(left.length === 0 ? 0 : 1)
}

/** The name of the function if it is there now. A host without its example is still a host. */
async function deployExample(name: string, url: string, config: Config): Promise<string | undefined> {
  try {
    const client = new HostClient({ endpointUrl: url, account: config.accountId, region: config.region })
    await putExample(client, name, findExample(name), note)
    return name
  } catch (error) {
    note(
      errorColours.yellow(
        `The example ${name} could not be deployed: ${error instanceof Error ? error.message : String(error)}`,
      ),
    )
    return undefined
  }
}

function findExample(name: string): string {
  const folder = join(projectFolder(), 'examples')
  const path = join(folder, name)
  if (!/^[\w-]+$/.test(name) || !existsSync(path)) {
    const there = existsSync(folder) ? readdirSync(folder).filter((one) => !one.includes('.')) : []
    throw new CliError(`There is no example ${name}.`, `There are: ${there.join(', ')}.`)
  }
  return path
}

/**
 * Commands to paste. The AWS CLI refuses to run without credentials, which this host does not check. `fileb://` means bytes to its versions 1 and 2;
 * an argument means base64 to version 2, and the option that changes it is unknown to version 1.
 */
export function invitation(url: string, region: Config['region'], name: string): string {
  const credentials = hasCredentials() ? '' : 'export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local\n  '
  return `
Invoke the example with the AWS CLI:

  ${credentials}echo '{"name":"you"}' | aws lambda invoke --endpoint-url ${url} --region ${region} --function-name ${name} --payload fileb:///dev/stdin /dev/stdout

or without it:

  npx hearth invoke ${name} '{"name":"you"}'${url.endsWith(':9000') ? '' : ` --endpoint-url ${url}`}
`
}

function hasCredentials(): boolean {
  const { AWS_ACCESS_KEY_ID, AWS_PROFILE, AWS_SHARED_CREDENTIALS_FILE } = process.env
  return (
    Boolean(AWS_ACCESS_KEY_ID || AWS_PROFILE) ||
    existsSync(AWS_SHARED_CREDENTIALS_FILE ?? join(homedir(), '.aws/credentials'))
  )
}
