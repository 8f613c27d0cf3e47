/** Making what an environment lives in: a place in the network, a listener, a sandbox; and undoing it, however far it came. */

import type { FunctionVersion } from '../lambda/function.ts'
import { roleSession } from '../lambda/role-session.ts'
import type { Session, SessionObserver } from '../runtime-api/api.ts'
import { type Place, type Sandbox, SandboxError, type SandboxObserver } from '../sandbox/driver.ts'
import type { InitializationType } from './boot.ts'
import type { EnvironmentHost } from './host.ts'
import type { SessionCredentials } from './session-keys.ts'
import type { OpenWorkload } from './workload.ts'

/** The environment was removed before it was ready: the host stops, or the function was deleted. */
export class ShutDown extends Error {
  override readonly name = 'ShutDown'
  constructor() {
    super('the execution environment was shut down before it was ready')
  }
}

export interface LaunchOptions {
  readonly host: EnvironmentHost
  readonly version: FunctionVersion
  readonly initialization: InitializationType
  readonly logStream: string
  readonly session: SessionObserver
  readonly sandbox: SandboxObserver
}

export class Launch {
  readonly #options: LaunchOptions
  #place: Place | undefined
  #workload: OpenWorkload | undefined
  #session: Session | undefined
  #credentials: SessionCredentials | undefined
  /** The sandbox while the driver makes it: `undo` must wait for it, or it would be left behind. */
  #starting: Promise<Sandbox> | undefined
  #undone = false

  constructor(options: LaunchOptions) {
    this.#options = options
  }

  /**
   * @returns session and sandbox, and the milliseconds of each phase
   * @throws ShutDown after `undo`; SandboxError and LambdaException (package) otherwise. The caller then calls `undo`.
   */
  async run(): Promise<{ session: Session; sandbox: Sandbox; phases: Record<string, number> }> {
    const { host, version, initialization, logStream } = this.#options
    const began = performance.now()
    const [{ cell, workload }, place] = await Promise.all([this.#open(), this.#reserve()])
    const reserved = performance.now()
    const session = await this.#listen(place)
    const listening = performance.now()
    if (this.#undone) throw new ShutDown()
    const credentials = host.sessionKeys.issue(roleSession(version))
    this.#credentials = credentials
    const sandboxApi = host.sandboxApi !== undefined
    this.#starting = host.driver.start(
      { ...cell, place },
      workload({ initialization, runtimeApi: session.address, logStream, credentials, sandboxApi }),
      this.#options.sandbox,
    )
    const sandbox = await this.#starting.catch((error: unknown) => {
      if (error instanceof SandboxError && error.kind === 'image-missing') host.workloads.forgetImages()
      throw error
    })
    if (this.#undone) throw new ShutDown()
    const phases = { reserve: reserved - began, listen: listening - reserved, sandbox: performance.now() - listening }
    return { session, sandbox, phases }
  }

  /** Gives everything back. Never throws. */
  async undo(reason: string): Promise<void> {
    this.#undone = true
    const sandbox = await this.#starting?.catch(() => undefined)
    if (sandbox === undefined) this.#place?.release()
    else await sandbox.destroy(reason)
    if (this.#credentials !== undefined) this.#options.host.sessionKeys.revoke(this.#credentials)
    await this.#workload?.release()
    // Last: a client whose Runtime API vanishes tries again and again, at full CPU and into the function's log.
    this.#session?.close()
  }

  async #open(): Promise<OpenWorkload> {
    const { host, version } = this.#options
    const workload = await host.workloads.open(version)
    if (this.#undone) {
      await workload.release()
      throw new ShutDown()
    }
    this.#workload = workload
    return workload
  }

  async #reserve(): Promise<Place> {
    const place = await this.#options.host.driver.reserve()
    if (this.#undone) {
      place.release()
      throw new ShutDown()
    }
    this.#place = place
    return place
  }

  async #listen(place: Place): Promise<Session> {
    const { host, version } = this.#options
    const session = await host.listeners.open({
      hostAddress: place.hostAddress,
      peerAddress: place.sandboxAddress,
      observer: this.#options.session,
      identity: { functionName: version.name, functionVersion: version.version, handler: version.handler ?? '' },
      ...(host.sandboxApi === undefined ? {} : { fallback: host.sandboxApi(roleSession(version)) }),
    })
    if (this.#undone) {
      session.close()
      throw new ShutDown()
    }
    this.#session = session
    return session
  }
}
