/** Making what an environment lives in: a place in the network, a listener, a sandbox; and undoing it, however far it came. */

import type { PackageFolder } from '../code/sealed-packages.ts'
import { functionArn } from '../lambda/arn.ts'
import type { FunctionVersion } from '../lambda/function.ts'
import type { Session, SessionObserver } from '../runtime-api/api.ts'
import { type Place, type Sandbox, SandboxError, type SandboxObserver, type SandboxSpec } from '../sandbox/driver.ts'
import type { InitializationType } from './boot.ts'
import type { EnvironmentHost } from './host.ts'
import { roomOf } from './room.ts'
import { environmentVariables } from './variables.ts'

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
  #code: PackageFolder | undefined
  #session: Session | undefined
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
    // At every start, so that a key that was disabled or deleted has its effect on the next environment.
    const opened = host.opened(version)
    const [source, place] = await Promise.all([this.#source(), this.#reserve()])
    const reserved = performance.now()
    const session = await this.#listen(place)
    const listening = performance.now()
    if (this.#undone) throw new ShutDown()
    this.#starting = host.driver.start(
      {
        place,
        ...source,
        environment: environmentVariables({
          version: opened,
          initialization,
          runtimeApi: session.address,
          logStream,
          defaults: host.functionEnv,
          lambdaApi: host.lambdaApi !== undefined,
        }),
        ...roomOf(version, host.room),
        memoryMb: version.memorySize,
        ephemeralStorageMb: version.ephemeralStorage,
        functionArn: functionArn(version, version.version),
      },
      this.#options.sandbox,
    )
    const sandbox = await this.#starting.catch((error: unknown) => {
      if (error instanceof SandboxError && error.kind === 'image-missing') host.imageMissing()
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
    await this.#code?.release()
    // Last: a client whose Runtime API vanishes tries again and again, at full CPU and into the function's log.
    this.#session?.close()
  }

  /** What runs: a package in the image of its runtime, or an image of the function's own. */
  async #source(): Promise<Pick<SandboxSpec, 'image' | 'codePath' | 'layersPath' | 'program'>> {
    const { host, version } = this.#options
    if (version.packageType === 'Image') {
      const { reference, program } = await host.functionImage(version)
      return { image: reference, codePath: undefined, program }
    }
    const [image, codePath, layersPath] = await Promise.all([
      host.image(version),
      this.#package(),
      host.layersPath(version),
    ])
    return { image, codePath, ...(layersPath === undefined ? {} : { layersPath }) }
  }

  async #package(): Promise<string> {
    const { host, version } = this.#options
    const code = await host.code(version)
    if (this.#undone) {
      await code.release()
      throw new ShutDown()
    }
    this.#code = code
    return code.path
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
    const { lambdaApi } = host
    const session = await host.listeners.open({
      hostAddress: place.hostAddress,
      peerAddress: place.sandboxAddress,
      observer: this.#options.session,
      identity: { functionName: version.name, functionVersion: version.version, handler: version.handler ?? '' },
      ...(lambdaApi === undefined ? {} : { fallback: (request, response) => lambdaApi(version, request, response) }),
    })
    if (this.#undone) {
      session.close()
      throw new ShutDown()
    }
    this.#session = session
    return session
  }
}
