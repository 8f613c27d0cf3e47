/** How the host is reached: the Lambda API and the operator's pages on one port, and the Lambda API inside sandboxes. */
import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import { createAdmin } from '../api/admin/admin.ts'
import { type Api, createApi } from '../api/app.ts'
import type { CallerOptions } from '../api/http/caller.ts'
import { withoutRepeats } from '../api/http/repeats.ts'
import { serveHttp } from '../api/http/server.ts'
import { Uploads } from '../api/http/uploads.ts'
import { invokeAsyncHandler, invokeHandler } from '../api/invoke/invoke.ts'
import { apiListener, type Listener } from '../api/listener.ts'
import { SandboxApi } from '../api/sandbox-api.ts'
import { effectiveSettings } from '../config/effective.ts'
import type { Config, LoadedConfig } from '../config.ts'
import type { ControlPlane } from '../control/control-plane.ts'
import { ChangeReader } from '../invoke/change-reader.ts'
import { describeQueue, queueProblem } from '../invoke/events/queue-view.ts'
import type { FunctionKey } from '../lambda/function.ts'
import { Metrics } from '../telemetry/metrics.ts'
import type { DataPlane } from './data-plane.ts'
import type { Durable } from './durable.ts'
import type { Lifetime } from './lifetime.ts'
import type { Sandboxes } from './sandboxes.ts'

export { checkPort } from '../api/http/server.ts'

interface Needs {
  readonly config: Config
  readonly sources: LoadedConfig['sources']
  readonly log: Logger
  readonly lifetime: Lifetime
  readonly durable: Durable
  readonly sandboxes: Sandboxes
  readonly dataPlane: DataPlane
  readonly control: ControlPlane
}

/** The API, and the door of the sandboxes, which is open from now on. */
export function openWire(needs: Needs): Listener {
  const { config, log, durable, dataPlane, control } = needs
  const caller = callerOf(needs)
  const apiLog = withoutRepeats(log, Date.now)
  const invoke = invokeHandler(dataPlane.invoker, apiLog)
  const invokeAsync = invokeAsyncHandler(dataPlane.invoker, apiLog)
  const uploads = new Uploads()
  const api: Api = createApi({
    control,
    caller,
    invoke,
    invokeAsync,
    uploads,
    admin: adminOf(needs),
    codeLocation: { secret: randomBytes(32), code: durable.packaging, clock: Date.now },
    log: apiLog,
  })
  const listener = apiListener(api, { invoke, caller, log: apiLog })
  dataPlane.door.open(
    new SandboxApi({
      mode: config.functionApi === 'all' ? 'all' : 'invoke',
      control,
      invoke,
      invokeAsync,
      uploads,
      callsPerSecond: config.functionApiRate,
      clock: () => performance.now(),
      log: apiLog,
    }),
  )
  return listener
}

function callerOf({ config, dataPlane: { sessionKeys } }: Pick<Needs, 'config' | 'dataPlane'>): CallerOptions {
  return {
    accessKeys: config.accessKeys,
    session: (accessKeyId) => sessionKeys.find(accessKeyId),
    account: config.accountId,
    region: config.region,
  }
}

/** @returns where the API answers. @throws when the port cannot be had; the message says what to do. */
export async function servePort(
  listener: Listener,
  { config, lifetime, durable, sandboxes: { driver } }: Pick<Needs, 'config' | 'lifetime' | 'durable' | 'sandboxes'>,
): Promise<string> {
  const server = await serveHttp(listener, {
    host: config.host,
    port: config.port,
    names: config.publicNames,
    origins: config.allowedOrigins,
    isSandbox: (address) => driver.isSandbox(address),
    functionReach: config.functionReach,
    budget: durable.inFlight,
  })
  lifetime.drains('the server', (left) => server.close(left()))
  return server.url
}

function adminOf({
  config,
  sources,
  log,
  lifetime,
  durable,
  sandboxes,
  dataPlane,
}: Needs): ReturnType<typeof createAdmin> {
  const { store, logs } = durable
  const { engine, runtimes } = sandboxes
  const { bus, pool, concurrency, allocation } = dataPlane
  const queue = () => describeQueue(store, Date.now())
  const metrics = new Metrics(bus, {
    environments: () => pool.total,
    running: () => concurrency.total(),
    queue,
    provisioned: () => allocation.counts(),
  })
  const check = async (keys: readonly FunctionKey[]) => {
    for (const key of keys) metrics.changed(key, (await store.functions.find(key)) !== undefined)
  }
  const follower = new ChangeReader({
    feed: store.targets.changes,
    consumer: { changed: check, refresh: () => check(metrics.functions) },
    failed: (error) =>
      log.warn({ error: String(error) }, 'metrics could not be updated after a change; the host tries again'),
  })
  lifetime.opened('the feed of changes for metrics', follower, (one) => one.close())
  return createAdmin({
    health: async () => ({
      ready: engine.problem === undefined && store.problem === undefined,
      checks: {
        engine: engine.problem ?? 'ok',
        store: store.problem ?? 'ok',
        queue: (await queueProblem(store).catch(String)) ?? 'ok',
      },
    }),
    config: () => effectiveSettings({ config, sources }),
    environments: () => pool.environments().map((each) => each.describe()),
    metrics: () => metrics.text(),
    queue,
    runtimes: () => runtimes.list(),
    logs,
    caller: callerOf({ config, dataPlane }),
  })
}
