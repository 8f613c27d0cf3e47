import { Command, InvalidArgumentError } from 'commander'
import type { KeyDescription } from '../../keys/keyring.ts'
import { CliError } from '../failure.ts'
import { colours, print, printJson, table } from '../output.ts'
import { loadSettings, type SettingFlags, withSettings } from '../setting-flags.ts'
import { example, wholeNumber, withJson } from './shared.ts'

interface Options extends SettingFlags {
  readonly json?: boolean
}

/** KMS's own bounds. */
const DELETION_DAYS = { min: 7, max: 30 }
const DESCRIPTION_MAX = 8192

export function keysCommand(): Command {
  const command = new Command('keys').description(
    'manage keys for KMSKeyArn, which encrypt environment variables and packages in this data folder',
  )
  command.addCommand(create())
  command.addCommand(list(), { isDefault: true })
  command.addCommand(
    changing('disable', 'disable a key; functions that use it no longer start', (ring, id) =>
      ring.setState(id, 'Disabled'),
    ),
  )
  command.addCommand(
    changing('enable', 'enable a key again, or cancel its scheduled deletion', (ring, id) =>
      ring.setState(id, 'Enabled'),
    ),
  )
  command.addCommand(remove())
  return command.addHelpText('after', example('hearth keys create --description "orders"', 'hearth keys'))
}

function create(): Command {
  const command = new Command('create')
    .description('create a key and print its ARN')
    .option('--description <text>', 'what it is for', '')
    .addHelpText(
      'after',
      example('hearth keys create --description "orders"', 'hearth keys create --region eu-central-1'),
    )
    .action(async (options: Options & { description: string }) => {
      if (options.description.length > DESCRIPTION_MAX) {
        throw new CliError(`--description is longer than ${DESCRIPTION_MAX} characters.`)
      }
      const { config } = loadSettings(options)
      const ring = await open(options)
      const key = ring.create({ account: config.accountId, region: config.region, description: options.description })
      if (options.json) printJson(key)
      else print(key.arn!)
    })
  return withJson(withSettings(command))
}

function list(): Command {
  const command = new Command('list')
    .description('list the keys and their states')
    .addHelpText('after', example('hearth keys', 'hearth keys list --json'))
    .action(async (options: Options) => {
      const keys = (await open(options)).list()
      if (options.json) return printJson(keys)
      print(table(['KEY', 'STATE', 'DESCRIPTION'], keys.map(cells)))
    })
  return withJson(withSettings(command))
}

function changing(
  name: string,
  description: string,
  change: (ring: Awaited<ReturnType<typeof open>>, id: string) => KeyDescription,
): Command {
  const command = new Command(name)
    .description(description)
    .argument('<key>', 'id or ARN')
    .addHelpText('after', example(`hearth keys ${name} arn:aws:kms:us-east-1:000000000000:key/KEY-ID`))
    .action(async (id: string, options: Options) => {
      const key = change(await open(options), id)
      if (options.json) printJson(key)
      else print(`${key.arn ?? key.id} ${key.state}`)
    })
  return withJson(withSettings(command))
}

function remove(): Command {
  const command = new Command('delete')
    .description('disable a key now and delete it later; everything that it encrypted is then lost')
    .argument('<key>', 'id or ARN')
    .option('--days <days>', 'days until the deletion, 7 to 30', deletionDays, DELETION_DAYS.max)
    .option('--now', 'remove it at once')
    .addHelpText('after', example('hearth keys delete KEY-ID --days 7', 'hearth keys delete KEY-ID --now'))
    .action(async (id: string, options: Options & { days: number; now?: boolean }) => {
      const key = (await open(options)).delete(id, options.now ? 0 : options.days)
      if (options.json) printJson(key)
      else if (options.now) print(`deleted ${key.id}`)
      else print(`${key.id} will be deleted on ${key.deletion}; until then \`hearth keys enable\` cancels the deletion`)
    })
  return withJson(withSettings(command))
}

function deletionDays(text: string): number {
  const days = wholeNumber(text)
  if (days < DELETION_DAYS.min || days > DELETION_DAYS.max) {
    throw new InvalidArgumentError(`It must be ${DELETION_DAYS.min} to ${DELETION_DAYS.max}; --now deletes at once.`)
  }
  return days
}

function cells(key: KeyDescription): string[] {
  const state = key.state === 'PendingDeletion' ? `${key.state} ${key.deletion?.slice(0, 10)}` : key.state
  return [key.arn ?? key.id, state, key.problem === undefined ? key.description : colours.yellow(key.problem)]
}

async function open(options: Options) {
  const { openKeyring } = await import('../keyring.ts')
  return openKeyring(loadSettings(options).config)
}
