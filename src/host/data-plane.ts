/** What runs functions: environments, limits, the queue of events and its worker, provisioned concurrency. */
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { EnvironmentHost } from '../execution/host.ts'
import { EnvironmentPool } from '../execution/pool/pool.ts'
import { Provisioner } from '../execution/pool/provisioner.ts'
import { SessionKeys } from '../execution/session-keys.ts'
import { FunctionWorkloads } from '../execution/workload.ts'
import { Allocation } from '../invoke/allocation.ts'
import { ChangeReader } from '../invoke/change-reader.ts'
import { Concurrency } from '../invoke/concurrency.ts'
import { Destinations } from '../invoke/destinations/destinations.ts'
import { DeliveryWorker } from '../invoke/events/delivery-worker.ts'
import { EventRoom } from '../invoke/events/event-room.ts'
import { EventWorker } from '../invoke/events/event-worker.ts'
import { steadyClock } from '../invoke/events/steady-clock.ts'
import { Invoker } from '../invoke/invoke.ts'
import { Resolver } from '../invoke/resolve.ts'
import { Retirement } from '../invoke/retirement.ts'
import type { FunctionKey } from '../lambda/function.ts'
import { EventBus } from '../telemetry/events.ts'
import { Doorbell } from './doorbell.ts'
import type { Durable } from './durable.ts'
import type { Lifetime } from './lifetime.ts'
import { SandboxDoor } from './sandbox-door.ts'
import type { Sandboxes } from './sandboxes.ts'

/** Asynchronous events that run at once at most; the room for environments bounds them too. */
const EVENTS_AT_ONCE = 256

export interface DataPlane {
  readonly bus: EventBus
  readonly concurrency: Concurrency
  readonly pool: EnvironmentPool
  readonly invoker: Invoker
  readonly allocation: Allocation
  /** What code inside sandboxes reaches; the wire opens it. */
  readonly door: SandboxDoor
  /** Access keys of living environments. */
  readonly sessionKeys: SessionKeys
  /** Takes up stored configurations, deliveries and events. */
  start(): Promise<void>
}

interface Needs {
  readonly config: Config
  readonly log: Logger
  readonly lifetime: Lifetime
  readonly durable: Durable
  readonly sandboxes: Sandboxes
}

export function openDataPlane(needs: Needs): DataPlane {
  const { config, lifetime, durable } = needs
  const { store } = durable
  const bus = new EventBus()
  const door = new SandboxDoor()
  const sessionKeys = new SessionKeys()
  const concurrency = new Concurrency({
    accountLimit: config.accountConcurrency,
    requestRateFactor: config.requestRateFactor,
  })
  const resolver = new Resolver(store.targets, concurrency)
  const pool = lifetime.opened(
    'the execution environments',
    new EnvironmentPool(environmentHost({ ...needs, bus, door, sessionKeys }), {
      idleTimeoutMs: config.idleTimeout * 1000,
      maxEnvironments: config.maxEnvironments,
      waitForEnvironmentMs: config.waitForEnvironmentMs,
      scalingRate: config.scalingRate,
    }),
    (one) => one.close(),
  )
  const parts: Parts = { ...needs, clock: steadyClock(), bus, concurrency, resolver, pool }
  const arrivals = new Doorbell<[FunctionKey]>()
  const invoker = openInvoker(parts, arrivals)
  const events = openEvents(parts, invoker, arrivals)
  const allocation = openProvisioned(parts)
  followChanges(parts, allocation)
  const start = async () => {
    await allocation.start()
    await events.start()
  }
  return { bus, concurrency, pool, invoker, allocation, door, sessionKeys, start }
}

/** What functions change: environments retire, and provisioned concurrency follows its configurations. */
function followChanges({ log, lifetime, durable: { store }, resolver, pool }: Parts, allocation: Allocation): void {
  const feed = store.targets.changes
  const retirement = new Retirement({ targets: store.targets, resolver, pool })
  for (const [what, consumer] of [
    ['environments of changed functions', retirement],
    ['provisioned concurrency', allocation],
  ] as const) {
    const failed = (error: unknown) =>
      log.warn({ error: String(error) }, `${what} could not be updated after a change; the host tries again`)
    lifetime.opened(`the feed of changes for ${what}`, new ChangeReader({ feed, consumer, failed }), (one) =>
      one.close(),
    )
  }
}

interface Parts extends Needs {
  /** One for all who put and take events: due times are compared. */
  readonly clock: () => number
  readonly bus: EventBus
  readonly concurrency: Concurrency
  readonly resolver: Resolver
  readonly pool: EnvironmentPool
}

function environmentHost(
  needs: Needs & { bus: EventBus; door: SandboxDoor; sessionKeys: SessionKeys },
): EnvironmentHost {
  const { config, bus, door, sessionKeys } = needs
  const { keys, code, layers, logs } = needs.durable
  const { driver, listeners, runtimes, functionImages } = needs.sandboxes
  return {
    driver,
    listeners,
    logs,
    bus,
    workloads: new FunctionWorkloads({
      runtimeImages: runtimes,
      functionImages,
      packages: code,
      layers,
      keys,
      room: config,
      functionEnv: config.functionEnv,
    }),
    sessionKeys,
    sandboxApi: config.functionApi === 'off' ? undefined : door.serve,
  }
}

function openInvoker({ log, durable, ...parts }: Parts, arrivals: Doorbell<[FunctionKey]>): Invoker {
  const { resolver, concurrency, pool, bus, clock } = parts
  return new Invoker({
    resolver,
    concurrency,
    pool,
    queue: durable.store.queue,
    bus,
    logFailure: ({ name }, exception, remedy) =>
      log.error(
        { function: name, remedy, err: exception.cause ?? exception },
        `${exception.name}: ${exception.message}`,
      ),
    wakeQueue: arrivals.ring,
    clock,
  })
}

function openEvents(parts: Parts, invoker: Invoker, arrivals: Doorbell<[FunctionKey]>): { start(): Promise<void> } {
  const { config, log, lifetime, durable, concurrency, resolver, clock } = parts
  const deliveries = new DeliveryWorker({
    store: durable.store.deliveries,
    destinations: new Destinations({
      named: config.destinations,
      secret: config.destinationSecret,
      environment: process.env,
      clock: Date.now,
    }),
    backoffBaseMs: config.retryBackoffMs,
    clock,
    log: warning(log),
  })
  const worker = new EventWorker({
    queue: durable.store.queue,
    resolver,
    invoker,
    room: new EventRoom({
      concurrency,
      capacity: Math.min(EVENTS_AT_ONCE, config.maxEnvironments),
      probeEveryMs: config.retryBackoffMs,
    }),
    timing: {
      retryDelaysMs: config.retryDelays.map((seconds) => seconds * 1000),
      backoffBaseMs: config.retryBackoffMs,
    },
    wakeDeliveries: () => deliveries.wake(),
    clock,
    log: warning(log),
  })
  arrivals.answeredBy((key) => worker.wake(key))
  lifetime.drains('the events', async (left) => {
    await worker.stop(left())
    // What the last events decided is sent too, as long as there is time.
    await deliveries.stop(left())
  })
  const start = async () => {
    await deliveries.start()
    await worker.start()
  }
  return { start }
}

function openProvisioned({ config, log, lifetime, durable: { store }, pool }: Parts): Allocation {
  const progress = new Doorbell<[string]>()
  const provisioner = new Provisioner({
    pool,
    // Half of the starts at most: invocations that need an environment now do not queue behind those that are made ahead.
    parallel: Math.max(1, Math.floor(config.maxParallelStarts / 2)),
    changed: progress.ring,
  })
  const allocation = new Allocation({
    store: store.provisioned,
    targets: store.targets,
    provisioner,
    log: warning(log),
  })
  progress.answeredBy((id) => allocation.progressed(id))
  lifetime.drains('provisioned concurrency', async () => {
    allocation.stop()
    provisioner.close()
  })
  return allocation
}

function warning(log: Logger): (message: string, fields?: object) => void {
  return (message, fields = {}) => log.warn(fields, message)
}
