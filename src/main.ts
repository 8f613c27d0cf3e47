/** Composition root: the only file that builds services; what starts and stops, and in which order, stands on this page. */
import { randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import type { Logger } from 'pino'
import { createAdmin } from './api/admin/admin.ts'
import { createApi } from './api/app.ts'
import { withoutRepeats } from './api/http/repeats.ts'
import { type HttpServer, serveHttp } from './api/http/server.ts'
import { invokeAsyncHandler, invokeHandler } from './api/invoke/invoke.ts'
import { apiListener } from './api/listener.ts'
import { LayerFolders, mergedId } from './code/layers.ts'
import { Packages } from './code/packages.ts'
import { SdkS3Objects } from './code/s3-objects.ts'
import { readSignatures } from './code/signature/read.ts'
import { readProfiles } from './code/signature/trust.ts'
import { effectiveSettings } from './config/effective.ts'
import type { Config, LoadedConfig } from './config.ts'
import type { CodeStore } from './control/code-store.ts'
import { createControlPlane } from './control/control-plane.ts'
import { PackageCollection } from './control/package-collection.ts'
import { EnvironmentPool } from './execution/pool.ts'
import { Provisioner } from './execution/provisioner.ts'
import { FunctionWorkloads } from './execution/workload.ts'
import { Allocation } from './invoke/allocation.ts'
import { ChangeReader } from './invoke/change-reader.ts'
import { Concurrency } from './invoke/concurrency.ts'
import { DeliveryWorker } from './invoke/delivery-worker.ts'
import { Destinations } from './invoke/destinations/destinations.ts'
import { EventRoom } from './invoke/event-room.ts'
import { EventWorker } from './invoke/event-worker.ts'
import { Invoker } from './invoke/invoke.ts'
import { describeQueue, queueProblem } from './invoke/queue-view.ts'
import { Resolver } from './invoke/resolve.ts'
import { Retirement } from './invoke/retirement.ts'
import { steadyClock } from './invoke/steady-clock.ts'
import { Keyring } from './keys/keyring.ts'
import { layerHashes } from './lambda/layer.ts'
import { packageId } from './lambda/package.ts'
import { revokedSignatures } from './lambda/signature.ts'
import { RuntimeApiListeners } from './runtime-api/listener.ts'
import { DockerDriver } from './sandbox/docker/driver.ts'
import { connect } from './sandbox/docker/engine/client.ts'
import { EngineHealth } from './sandbox/docker/engine/health.ts'
import { digest } from './sandbox/docker/engine/labels.ts'
import { DockerFunctionImages } from './sandbox/docker/images/function-images.ts'
import { DockerRuntimeImages } from './sandbox/docker/images/runtime-images.ts'
import { openStore } from './store/open.ts'
import { EventBus } from './telemetry/events.ts'
import { LogFiles } from './telemetry/log-files.ts'
import { Metrics } from './telemetry/metrics.ts'

export interface RunningHost {
  /** Where the Lambda API answers. */
  readonly url: string
  readonly runtimes: DockerRuntimeImages
  /** Lets running invocations finish (bounded), then removes every container, network, mount and listener. */
  close(): Promise<void>
}

export interface HostOptions {
  readonly log: Logger
  readonly sources: LoadedConfig['sources']
}

/** Asynchronous events that run at once at most; the room for environments bounds them too. */
const EVENTS_AT_ONCE = 256

/** @throws when the engine, the data folder or the port cannot be had; the message says what to do. */
export async function startHost(config: Config, { log, sources }: HostOptions): Promise<RunningHost> {
  const warn = (message: string, fields: object = {}) => log.warn(fields, message)
  const unread = (what: string) => (error: unknown) =>
    warn(`${what} could not be checked after a change; the host tries again until it can`, { error: String(error) })
  const progress = (line: string) => log.info(line)
  const undo: (() => Promise<void>)[] = []
  const opened = <T>(service: T, close: (service: T) => Promise<void>): T => {
    undo.push(() => close(service))
    return service
  }
  const closeAll = async () => {
    for (const close of undo.splice(0).reverse()) await close().catch((error: unknown) => log.error({ err: error }))
  }

  try {
    // What must not be lost.
    const store = opened(
      await openStore(join(config.data, 'hearth.db'), {
        queueMaxBytes: config.queueMaxBytes,
        codeStorageMaxBytes: config.codeStorageMaxBytes,
        queueFull: ({ message, remedy }) => log.error({ remedy }, message),
        failed: (error) => log.fatal({ err: error }, error.message),
      }),
      (one) => one.close(),
    )
    const keys = new Keyring(join(config.data, 'keys'))
    const permissions = config.packagePermissions
    const code = new Packages({ directory: join(config.data, 'code'), keys, log, permissions })
    const layers = new LayerFolders({
      permissions,
      directory: join(config.data, 'layers'),
      unpacked: (codeSha256) => code.plain.folder(codeSha256),
      log,
    })
    const profiles = readProfiles(config.signingProfiles)
    const packaging: CodeStore = {
      put: (zip, seal) => code.put(zip, seal),
      get: (reference) => code.get(reference),
      signatures: async (reference) => {
        const folder = await code.folder(reference)
        return readSignatures(folder.path, profiles).finally(folder.release)
      },
      prepareLayers: async (hashes) => {
        for (const hash of hashes) await code.plain.renew(hash)
        await layers.prepare(hashes)
      },
    }
    const objects = opened(new SdkS3Objects(), async (one) => one.close())
    const logs = opened(
      new LogFiles({ directory: join(config.data, 'logs'), groupBytes: config.logMaxBytes, log }),
      (one) => one.close(),
    )

    // Where code runs.
    const docker = connect()
    const instance = digest(resolve(config.data), 12)
    const runtimes = new DockerRuntimeImages({
      docker,
      cacheDir: join(config.data, 'cache'),
      map: config.runtimeImageMap,
      prefer: config.runtimeImages,
      substitute: config.runtimeSubstitute,
      progress,
      instance,
    })
    const functionImages = new DockerFunctionImages({ docker, instance, progress })
    const driver = opened(
      new DockerDriver({
        docker,
        instance,
        dataDir: config.data,
        supervisor: () => runtimes.supervisorPath(),
        tools: () => runtimes.toolsImage(),
        functionReach: config.functionReach,
        subnetPool: config.subnetPool,
        maxParallelStarts: config.maxParallelStarts,
        maxAttachments: config.maxNetworkAttachments,
        log: warn,
      }),
      (one) => one.close(),
    )
    await driver.open()
    await code.open()
    for (const warning of driver.warnings) warn(warning)
    const engine = opened(new EngineHealth(docker), async (one) => one.close())
    await engine.open()
    const listeners = opened(
      new RuntimeApiListeners({ admit: (address, first, last) => driver.admit(address, first, last), log }),
      (one) => one.close(),
    )

    // The data plane.
    const bus = new EventBus()
    const concurrency = new Concurrency({
      accountLimit: config.accountConcurrency,
      requestRateFactor: config.requestRateFactor,
    })
    // One for all who put and take events: due times are compared.
    const clock = steadyClock()
    const resolver = new Resolver(store.targets, concurrency)
    const pool = opened(
      new EnvironmentPool(
        {
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
          lambdaApi: config.functionApi
            ? (version, request, response) => listener(request, response, version)
            : undefined,
        },
        {
          idleTimeoutMs: config.idleTimeout * 1000,
          maxEnvironments: config.maxEnvironments,
          waitForEnvironmentMs: config.waitForEnvironmentMs,
          scalingRate: config.scalingRate,
        },
      ),
      (one) => one.close(),
    )
    const invoker = new Invoker({
      resolver,
      concurrency,
      pool,
      queue: store.queue,
      bus,
      logFailure: ({ name }, exception, remedy) =>
        log.error(
          { function: name, remedy, err: exception.cause ?? exception },
          `${exception.name}: ${exception.message}`,
        ),
      wakeQueue: (key) => worker.wake(key),
      clock,
    })
    const deliveries = new DeliveryWorker({
      store: store.deliveries,
      destinations: new Destinations({
        named: config.destinations,
        secret: config.destinationSecret,
        environment: process.env,
        clock: Date.now,
      }),
      backoffBaseMs: config.retryBackoffMs,
      clock,
      log: warn,
    })
    const worker = new EventWorker({
      queue: store.queue,
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
      log: warn,
    })
    const provisioner = opened(
      // Half of the starts at most: invocations that need an environment now do not queue behind those that are made ahead.
      new Provisioner({
        pool,
        parallel: Math.max(1, Math.floor(config.maxParallelStarts / 2)),
        changed: (id) => allocation.progressed(id),
      }),
      async (one) => one.close(),
    )
    const allocation = opened(
      new Allocation({
        store: store.provisioned,
        targets: store.targets,
        provisioner,
        log: warn,
      }),
      async (one) => one.stop(),
    )
    const retirement = new Retirement({
      targets: store.targets,
      resolver,
      pool,
    })
    const feed = store.targets.changes
    opened(
      new ChangeReader({ feed, consumer: retirement, failed: unread('environments of changed functions') }),
      (one) => one.close(),
    )
    opened(new ChangeReader({ feed, consumer: allocation, failed: unread('provisioned concurrency') }), (one) =>
      one.close(),
    )

    // The control plane and the wire.
    const control = createControlPlane({
      store,
      code: packaging,
      objects,
      functionImages,
      images: runtimes,
      keys,
      room: config,
      revokedSignatures: revokedSignatures(config.revokedSignatures),
      bus,
      clock: Date.now,
      settings: {
        accountConcurrency: config.accountConcurrency,
        unreservedMinimum: config.unreservedMinimum,
        architecture: await runtimes.architecture(),
        stateDelayMs: config.stateDelayMs,
      },
      log,
    })
    opened(control, async (one) => one.close())
    const metrics = new Metrics(bus, {
      environments: () => pool.total,
      running: () => concurrency.total(),
      queue: () => describeQueue(store, Date.now()),
      provisioned: () => allocation.counts(),
    })
    const admin = createAdmin({
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
      queue: () => describeQueue(store, Date.now()),
      runtimes: () => runtimes.list(),
      logs,
      caller: { accessKeys: config.accessKeys, account: config.accountId, region: config.region },
    })
    const caller = { accessKeys: config.accessKeys, account: config.accountId, region: config.region }
    const apiLog = withoutRepeats(log, Date.now)
    const invoke = invokeHandler(invoker, apiLog)
    const api = createApi({
      control,
      caller,
      invoke,
      invokeAsync: invokeAsyncHandler(invoker, apiLog),
      admin,
      codeLocation: { secret: randomBytes(32), code: packaging, clock: Date.now },
      log: apiLog,
    })
    const listener = apiListener(api, { invoke, caller, log: apiLog })
    const packages = opened(
      new PackageCollection({
        stored: async () => new Set([...(await store.functions.codeInUse()), ...(await store.layers.codeInUse())]),
        running: () => pool.environments().flatMap(({ version }) => [packageId(version), ...layerHashes(version)]),
        collect: async (keep) => {
          const removed = (await code.collect(keep)) + (await functionImages.collect(keep))
          return removed + (await runtimes.giveUpVersions(await store.functions.runtimeVersionsInUse()))
        },
        log,
      }),
      (one) => one.stop(),
    )
    packages.start()
    const merged = opened(
      new PackageCollection({
        stored: async () => new Set((await store.layers.combinations()).map(mergedId)),
        running: () => pool.environments().map(({ version }) => mergedId(layerHashes(version))),
        collect: (keep) => layers.collect(keep),
        log,
      }),
      (one) => one.stop(),
    )
    merged.start()
    await runtimes.recall()
    await control.resume()
    await allocation.start()
    opened(deliveries, (one) => one.stop(config.drainTimeout * 1000))
    await deliveries.start()
    opened(worker, (one) => one.stop(config.drainTimeout * 1000))
    await worker.start()
    const server: HttpServer = opened(
      await serveHttp(listener, {
        host: config.host,
        port: config.port,
        names: config.publicNames,
        origins: config.allowedOrigins,
        isSandbox: (address) => driver.isSandbox(address),
        functionReach: config.functionReach,
      }),
      (one) => one.close(config.drainTimeout * 1000),
    )
    // Stopping begins with the last one opened: no new requests, no new events, then environments, listeners, sandboxes, logs, store.
    return { url: server.url, runtimes, close: closeAll }
  } catch (error) {
    await closeAll()
    throw error
  }
}
