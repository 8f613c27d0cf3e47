/** What changes functions: the control plane, and the hourly removal of packages that none of them needs. */
import type { Logger } from 'pino'
import { mergedId } from '../code/layers.ts'
import type { Config } from '../config.ts'
import { PackageCollection } from '../control/code/package-collection.ts'
import { type ControlPlane, createControlPlane } from '../control/control-plane.ts'
import { layerHashes } from '../lambda/package/layer.ts'
import { packageId } from '../lambda/package/package.ts'
import { revokedSignatures } from '../lambda/package/signature.ts'
import type { DataPlane } from './data-plane.ts'
import type { Durable } from './durable.ts'
import type { Lifetime } from './lifetime.ts'
import type { Sandboxes } from './sandboxes.ts'

interface Needs {
  readonly config: Config
  readonly log: Logger
  readonly lifetime: Lifetime
  readonly durable: Durable
  readonly sandboxes: Sandboxes
  readonly dataPlane: DataPlane
}

export async function openControlPlane(needs: Needs): Promise<ControlPlane> {
  const { config, log, lifetime, durable, sandboxes, dataPlane } = needs
  const { runtimes, functionImages } = sandboxes
  const control = createControlPlane({
    store: durable.store,
    code: durable.packaging,
    objects: durable.objects,
    functionImages,
    images: runtimes,
    keys: durable.keys,
    room: config,
    revokedSignatures: revokedSignatures(config.revokedSignatures),
    bus: dataPlane.bus,
    clock: Date.now,
    settings: {
      accountConcurrency: config.accountConcurrency,
      unreservedMinimum: config.unreservedMinimum,
      architecture: await runtimes.architecture(),
      stateDelayMs: config.stateDelayMs,
    },
    log,
  })
  lifetime.opened('the control plane', control, (one) => one.close())
  collectPackages(needs)
  await runtimes.recall()
  await control.resume()
  return control
}

function collectPackages({ log, lifetime, durable, sandboxes, dataPlane: { pool } }: Needs): void {
  const { store, code, layers } = durable
  const { runtimes, functionImages } = sandboxes
  const packages = new PackageCollection({
    stored: async () => new Set([...(await store.functions.codeInUse()), ...(await store.layers.codeInUse())]),
    running: () => pool.environments().flatMap(({ version }) => [packageId(version), ...layerHashes(version)]),
    collect: async (keep) => {
      const removed = (await code.collect(keep)) + (await functionImages.collect(keep))
      return removed + (await runtimes.giveUpVersions(await store.functions.runtimeVersionsInUse()))
    },
    log,
  })
  const merged = new PackageCollection({
    stored: async () => new Set((await store.layers.combinations()).map(mergedId)),
    running: () => pool.environments().map(({ version }) => mergedId(layerHashes(version))),
    collect: (keep) => layers.collect(keep),
    log,
  })
  for (const [name, collection] of [
    ['the removal of packages', packages],
    ['the removal of merged layers', merged],
  ] as const) {
    collection.start()
    lifetime.opened(name, collection, (one) => one.stop())
  }
}
