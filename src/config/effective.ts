/** Settings as people and the admin API see them: value, source, meaning; secrets masked. */
import type { LoadedConfig } from '../config.ts'
import { flagOf, SETTING_NAMES, SETTINGS, type SettingName } from './settings.ts'

export interface EffectiveSetting {
  readonly name: SettingName
  /** `null`: none was given, the host chooses by itself. */
  readonly value: unknown
  /** `flag --port`, `environment HEARTH_PORT`, `file …` or `default`. */
  readonly source: string
  readonly env: string
  readonly flag: string
  readonly unit?: string
  readonly description: string
}

export function effectiveSettings(loaded: Pick<LoadedConfig, 'config' | 'sources'>): EffectiveSetting[] {
  return SETTING_NAMES.map((name) => {
    const { env, unit, description, secret } = SETTINGS[name]
    const value: unknown = loaded.config[name]
    return {
      name,
      value: secret === undefined ? (value ?? null) : masked(value, secret),
      source: loaded.sources[name],
      env,
      flag: `--${flagOf(name)}`,
      ...(unit === undefined ? {} : { unit }),
      description,
    }
  })
}

function masked(value: unknown, secret: 'values' | 'keys'): Record<string, string> | string | null {
  if (value === undefined) return null
  if (typeof value === 'string') return '****'
  const entries = Object.entries(value as Record<string, string>)
  if (secret === 'values') return Object.fromEntries(entries.map(([key]) => [key, '****']))
  return Object.fromEntries(entries.map(([key, shown]) => [`****${key.length > 8 ? key.slice(-4) : ''}`, shown]))
}
