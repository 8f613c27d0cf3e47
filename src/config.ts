/**
 * Every setting of the host, from four places: flags > environment > file > default.
 *
 * The file is `hearth.config.json` in the current folder, or the one that `--config` or HEARTH_CONFIG names. A setting that nobody
 * knows is an error wherever it stands, so that a misspelt one is never silently without effect.
 */
import { readFileSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { resolve } from 'node:path'
import { z } from 'zod'
import { contradictions } from './config/contradictions.ts'
import { nearest } from './config/nearest.ts'
import type { Setting } from './config/setting.ts'
import { type Config, flagOf, type Machine, SETTING_NAMES, SETTINGS, type SettingName } from './config/settings.ts'

export type { Config, SettingName } from './config/settings.ts'

export const CONFIG_FILE = 'hearth.config.json'

/** Variables that start with HEARTH_ and are no settings of the host: the file of settings, and the host that the CLI talks to. */
export const OTHER_VARIABLES = ['HEARTH_CONFIG', 'HEARTH_ENDPOINT'] as const

const FUNCTION_ENV_PREFIX = 'HEARTH_FUNCTION_ENV_'

export interface ConfigInput {
  /** By setting name, as text; `config` names the file. Undefined ones were not given. */
  readonly flags: Readonly<Partial<Record<SettingName | 'config', string | undefined>>>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** For tests; this machine otherwise. */
  readonly machine?: Omit<Machine, 'cwd'>
}

export interface LoadedConfig {
  readonly config: Config
  /** Where each value comes from: `flag --port`, `environment HEARTH_PORT`, `file /etc/hearth.config.json` or `default`. */
  readonly sources: Readonly<Record<SettingName, string>>
  /** One sentence for each value that is taken although it is not what it was. */
  readonly warnings: readonly string[]
}

/** One sentence for each thing that is wrong. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

interface Given {
  readonly value: unknown
  readonly source: string
  /** How the setting is called where it was given. */
  readonly label: string
}

/** The one schema: every setting, each required, because defaults are filled in before. */
const ConfigSchema = z.object(
  Object.fromEntries(SETTING_NAMES.map((name) => [name, SETTINGS[name].schema])) as {
    [Name in SettingName]: (typeof SETTINGS)[Name]['schema']
  },
)

/** Throws ConfigError. */
export function loadConfig(input: ConfigInput): LoadedConfig {
  const problems: string[] = []
  const given: Partial<Record<SettingName, Given>> = {
    ...fromFile(input, problems),
    ...fromEnvironment(input.env, problems),
    ...fromFlags(input.flags),
  }
  const values: Record<string, unknown> = {}
  const sources: Partial<Record<SettingName, string>> = {}
  const warnings: string[] = []
  for (const name of SETTING_NAMES) {
    const one = given[name]
    if (one === undefined) continue
    sources[name] = one.source
    const parsed = SETTINGS[name].schema.safeParse(one.value)
    const { warning } = SETTINGS[name] as Setting<z.ZodType>
    const said = warning?.(one.value)
    if (said !== undefined) warnings.push(`${one.label}=${String(one.value)} ${said}`)
    if (parsed.success) values[name] = parsed.data
    else
      problems.push(
        `${one.label} ${parsed.error.issues[0]?.message ?? 'is not valid'}; it is ${shown(name, one.value)}`,
      )
  }
  if (problems.length > 0) throw new ConfigError(problems)

  const machine: Machine = {
    cwd: input.cwd,
    memoryBytes: input.machine?.memoryBytes ?? totalmem(),
    processors: input.machine?.processors ?? availableParallelism(),
  }
  const complete: Record<string, unknown> = {}
  for (const name of SETTING_NAMES) {
    complete[name] = name in values ? values[name] : SETTINGS[name].fallback(machine, values)
    sources[name] ??= 'default'
  }
  const config: Config = ConfigSchema.parse(complete)
  const wrong = contradictions(config, (name) => given[name]?.label ?? name)
  if (wrong.length > 0) throw new ConfigError(wrong)
  return {
    config: { ...config, data: resolve(input.cwd, config.data) },
    sources: sources as Record<SettingName, string>,
    warnings,
  }
}

function fromFlags(flags: ConfigInput['flags']): Partial<Record<SettingName, Given>> {
  const found: Partial<Record<SettingName, Given>> = {}
  for (const name of SETTING_NAMES) {
    const value = flags[name]
    if (value !== undefined) found[name] = { value, source: `flag --${flagOf(name)}`, label: `--${flagOf(name)}` }
  }
  return found
}

function fromEnvironment(env: ConfigInput['env'], problems: string[]): Partial<Record<SettingName, Given>> {
  const found: Partial<Record<SettingName, Given>> = {}
  const functionEnv: Record<string, string> = {}
  const known: Readonly<Record<string, SettingName>> = Object.fromEntries(
    SETTING_NAMES.map((name) => [SETTINGS[name].env, name]),
  )
  for (const [variable, value] of Object.entries(env)) {
    if (value === undefined || !variable.startsWith('HEARTH_')) continue
    if (variable.startsWith(FUNCTION_ENV_PREFIX) && variable.length > FUNCTION_ENV_PREFIX.length) {
      functionEnv[variable.slice(FUNCTION_ENV_PREFIX.length)] = value
      continue
    }
    if (OTHER_VARIABLES.some((other) => other === variable)) continue
    const name = known[variable]
    if (name !== undefined) {
      // An empty variable counts as not given: that is how a compose file or a unit file leaves one out.
      if (value.trim() !== '') found[name] = { value, source: `environment ${variable}`, label: variable }
    } else {
      const candidates = [...Object.keys(known), ...OTHER_VARIABLES]
      problems.push(`${variable} is not a setting of Hearth; did you mean ${nearest(variable, candidates)}?`)
    }
  }
  if (Object.keys(functionEnv).length > 0) {
    found.functionEnv = {
      value: functionEnv,
      source: `environment ${FUNCTION_ENV_PREFIX}*`,
      label: `${FUNCTION_ENV_PREFIX}*`,
    }
  }
  return found
}

function fromFile(input: ConfigInput, problems: string[]): Partial<Record<SettingName, Given>> {
  const named = input.flags.config ?? (input.env.HEARTH_CONFIG || undefined)
  const path = resolve(input.cwd, named ?? CONFIG_FILE)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const absent = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (named !== undefined || !absent) problems.push(`the settings file ${path} cannot be read: ${reason}`)
    return {}
  }
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    problems.push(`the settings file ${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`)
    return {}
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    problems.push(`the settings file ${path} must hold a JSON object, for example {"port": 9000}`)
    return {}
  }
  const found: Partial<Record<SettingName, Given>> = {}
  for (const [key, value] of Object.entries(content)) {
    const name = SETTING_NAMES.find((candidate) => candidate === key)
    if (name !== undefined) found[name] = { value, source: `file ${path}`, label: `${key} in ${path}` }
    else if (key !== '$schema')
      problems.push(`${key} in ${path} is not a setting of Hearth; did you mean ${nearest(key, SETTING_NAMES)}?`)
  }
  return found
}

/** A wrong value as the message shows it; never a secret one. */
function shown(name: SettingName, value: unknown): string {
  if (SETTINGS[name].secret !== undefined) return 'not shown, because it may hold a secret'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
