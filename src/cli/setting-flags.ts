/** A flag for every setting of the host, made from the table. */
import { type Command, Option } from 'commander'
import { flagOf, SETTING_NAMES, SETTINGS } from '../config/settings.ts'
import { type LoadedConfig, loadConfig, type SettingName } from '../config.ts'

export type SettingFlags = Readonly<Partial<Record<SettingName | 'config', string>>>

export function withSettings(command: Command): Command {
  command.addOption(
    new Option('--config <file>', 'settings file (HEARTH_CONFIG; default hearth.config.json if it is there)'),
  )
  for (const name of SETTING_NAMES) {
    const { description, env, form } = SETTINGS[name]
    const value = form === 'on|off' ? `[${form}]` : `<${form}>`
    // A switch without a value is on.
    command.addOption(new Option(`--${flagOf(name)} ${value}`, `${description} (${env})`).preset('on'))
  }
  return command
}

export function loadSettings(flags: SettingFlags): LoadedConfig {
  return loadConfig({ flags, env: process.env, cwd: process.cwd() })
}
