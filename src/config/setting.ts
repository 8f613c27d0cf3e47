/** What is said of each setting. */
import type { z } from 'zod'

/** What defaults depend on. */
export interface Machine {
  /** Folder in which the command was started. */
  readonly cwd: string
  /** Bytes of memory. */
  readonly memoryBytes: number
  readonly processors: number
}

export interface Setting<Schema extends z.ZodType> {
  readonly env: string
  readonly schema: Schema
  readonly description: string
  readonly unit?: string
  /** How the value is written, for help and documentation. */
  readonly form: string
  /** Text of the default for people, where `fallback` depends on the machine or on other settings. */
  readonly defaultText?: string
  /** The default. `given` holds the settings that were given. */
  readonly fallback: (machine: Machine, given: Readonly<Record<string, unknown>>) => z.output<Schema>
  /** What is said at the start about a value that is taken although it is not what it was; it follows the name of the setting and the value. */
  readonly warning?: (given: unknown) => string | undefined
  /** The value is masked where settings are shown: `values` of pairs, or the `keys`. */
  readonly secret?: 'values' | 'keys'
}

export function setting<Schema extends z.ZodType>(row: Setting<Schema>): Setting<Schema> {
  return row
}
