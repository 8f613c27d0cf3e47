/** The host: opens its parts in order, each with what the ones before it give, and closes them in reverse under one deadline. */
import type { Logger } from 'pino'
import type { Config, LoadedConfig } from './config.ts'
import { openControlPlane } from './host/control-plane.ts'
import { openDataPlane } from './host/data-plane.ts'
import { openDurable } from './host/durable.ts'
import { Lifetime } from './host/lifetime.ts'
import { openSandboxes, type Sandboxes } from './host/sandboxes.ts'
import { checkPort, openWire, servePort } from './host/wire.ts'

export interface RunningHost {
  /** Where the Lambda API answers. */
  readonly url: string
  readonly runtimes: Sandboxes['runtimes']
  /**
   * Lets running invocations finish (bounded), then removes every container, network, mount and listener. Returns the names of the parts
   * that failed or hung.
   */
  close(): Promise<readonly string[]>
}

export interface HostOptions {
  readonly log: Logger
  readonly sources: LoadedConfig['sources']
}

/** @throws when the engine, the data folder or the port cannot be had; the message says what to do. */
export async function startHost(config: Config, { log, sources }: HostOptions): Promise<RunningHost> {
  await checkPort(config)
  const lifetime = new Lifetime({ drainTimeout: config.drainTimeout, log })
  try {
    const durable = await openDurable(config, log, lifetime)
    const sandboxes = await openSandboxes(config, log, lifetime)
    // No sandbox runs yet: nobody uses what an earlier run left unpacked.
    await durable.code.open()
    const needs = { config, sources, log, lifetime, durable, sandboxes }
    const dataPlane = openDataPlane(needs)
    const control = await openControlPlane({ ...needs, dataPlane })
    const listener = openWire({ ...needs, dataPlane, control })
    await dataPlane.start()
    const url = await servePort(listener, needs)
    return { url, runtimes: sandboxes.runtimes, close: () => lifetime.stop() }
  } catch (error) {
    await lifetime.stop()
    throw error
  }
}
