/** Creating or updating one function from a package: what `hearth deploy` does, and `hearth start` for its example. */
import { createHash } from 'node:crypto'
import { CliError } from './failure.ts'
import {
  createFunction,
  type FunctionSummary,
  findFunction,
  untilActive,
  updateCode,
  updateConfiguration,
} from './functions.ts'
import type { HostClient } from './host-client.ts'
import { type Inferred, infer } from './package/infer.ts'
import type { Package } from './package/package.ts'

export interface DeploymentOptions {
  readonly runtime?: string
  readonly handler?: string
  /** MB. */
  readonly memory?: number
  /** Seconds. */
  readonly timeout?: number
  readonly env?: Readonly<Record<string, string>>
}

export interface Deployment {
  readonly action: 'created' | 'updated' | 'unchanged'
  readonly function: FunctionSummary
}

/** `progress` hears what takes time. */
export async function deploy(
  host: HostClient,
  name: string,
  source: Package,
  options: DeploymentOptions,
  progress: (text: string) => void,
): Promise<Deployment> {
  const existing = await findFunction(host, name)
  const waiting = (runtime: string | undefined) => () =>
    progress(
      `Waiting until ${name} is active. If this is the first function of its runtime (${runtime ?? 'unknown'}), the host builds its image first …`,
    )
  if (existing === undefined) {
    const { runtime, handler } = source.function ?? inferredOf(source, options)
    progress(`Creating ${name} (${runtime}, ${handler}) …`)
    await createFunction(host, {
      FunctionName: name,
      Runtime: runtime,
      Handler: handler,
      Role: `arn:aws:iam::${host.account ?? '000000000000'}:role/hearth`,
      Code: { ZipFile: source.zip.toString('base64') },
      ...settings(options),
    })
    return { action: 'created', function: await untilActive(host, name, waiting(runtime)) }
  }

  let action: Deployment['action'] = 'unchanged'
  let current = await untilActive(host, name, waiting(existing.Runtime))
  // Of a bundle it is known where its function is.
  const change = differences(current, { ...options, handler: options.handler ?? source.function?.handler })
  // The configuration first: a handler that is new in both must not run the new code under its old name.
  if (Object.keys(change).length > 0) {
    progress(`Updating the configuration of ${name} …`)
    await updateConfiguration(host, name, change)
    current = await untilActive(host, name, waiting(options.runtime ?? existing.Runtime))
    action = 'updated'
  }
  if (createHash('sha256').update(source.zip).digest('base64') !== current.CodeSha256) {
    progress(`Updating the code of ${name} …`)
    await updateCode(host, name, source.zip)
    current = await untilActive(host, name, waiting(current.Runtime))
    action = 'updated'
  }
  return { action, function: current }
}

function inferredOf(source: Package, options: DeploymentOptions): Inferred {
  const inferred = infer(source.files, options)
  if (!inferred.ok) throw new CliError(inferred.reason)
  return inferred.value
}

function settings(options: DeploymentOptions): Record<string, unknown> {
  return {
    ...(options.memory === undefined ? {} : { MemorySize: options.memory }),
    ...(options.timeout === undefined ? {} : { Timeout: options.timeout }),
    ...(options.env === undefined ? {} : { Environment: { Variables: options.env } }),
  }
}

/** Only what was asked for and is different: an update retires environments. */
function differences(current: FunctionSummary, options: DeploymentOptions): Record<string, unknown> {
  const change: Record<string, unknown> = {}
  if (options.runtime !== undefined && options.runtime !== current.Runtime) change.Runtime = options.runtime
  if (options.handler !== undefined && options.handler !== current.Handler) change.Handler = options.handler
  if (options.memory !== undefined && options.memory !== current.MemorySize) change.MemorySize = options.memory
  if (options.timeout !== undefined && options.timeout !== current.Timeout) change.Timeout = options.timeout
  if (options.env !== undefined) {
    const before = current.Environment?.Variables ?? {}
    const merged = { ...before, ...options.env }
    if (Object.entries(merged).some(([key, value]) => before[key] !== value)) change.Environment = { Variables: merged }
  }
  return change
}
