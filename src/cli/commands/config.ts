import { Command } from 'commander'
import { type EffectiveSetting, effectiveSettings } from '../../config/effective.ts'
import { HostClient, type HostOptions } from '../host-client.ts'
import { note, print, printJson, table } from '../output.ts'
import { loadSettings, type SettingFlags, withSettings } from '../setting-flags.ts'
import { example, withJson } from './shared.ts'

interface Options extends HostOptions {
  readonly running?: boolean
  readonly json?: boolean
}

export function configCommand(): Command {
  const command = new Command('config')
    .description('print the settings that `hearth start` uses here, and where each comes from')
    .option('--running', 'show the settings of the running host instead')
    .option('--endpoint-url <url>', 'the host that --running asks (HEARTH_ENDPOINT; default http://127.0.0.1:9000)')
    .addHelpText(
      'after',
      example('hearth config', 'HEARTH_PORT=9100 hearth config --idle-timeout 60', 'hearth config --running --json'),
    )
    .action(async (options: Options & SettingFlags) => {
      const settings = options.running
        ? await new HostClient(options).json<EffectiveSetting[]>({ method: 'GET', path: '/_hearth/config' })
        : effectiveSettings(loadSettings(options))
      if (options.json) return printJson(settings)
      print(
        table(
          ['SETTING', 'VALUE', 'SOURCE'],
          settings.map((one) => [one.name, shown(one), one.source]),
        ),
      )
      note('\ndocs/configuration.md explains each.')
    })
  return withJson(withSettings(command))
}

function shown({ value }: EffectiveSetting): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.join(',')
  if (value === null) return '-'
  if (typeof value !== 'object') return String(value)
  const entries = Object.entries(value)
  return entries.length === 0 ? '-' : entries.map(([key, one]) => `${key}=${String(one)}`).join(',')
}
