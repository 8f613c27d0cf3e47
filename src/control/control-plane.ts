/** The control plane: what the API may ask of it, and what it needs. It never starts, stops or calls execution environments. */
import type { Architecture } from '../lambda/function.ts'
import type { Keys } from '../lambda/keys.ts'
import type { MachineRoom } from '../lambda/machine-room.ts'
import type { RuntimeImages } from '../lambda/runtime-images.ts'
import type { Store } from '../store/open.ts'
import { Account } from './account.ts'
import { Aliases } from './aliases.ts'
import type { CodeStore } from './code-store.ts'
import { Concurrency, type ConcurrencyBounds } from './concurrency.ts'
import { FunctionLayers } from './function-layers.ts'
import { Functions } from './functions.ts'
import { LayerPermissions } from './layer-permissions.ts'
import { Layers } from './layers.ts'
import { Permissions } from './permissions.ts'
import { type ControlLog, Preparation } from './preparation.ts'
import { Secrets } from './secrets.ts'
import { Tags } from './tags.ts'
import { Versions } from './versions.ts'

export interface ControlPlaneNeeds {
  readonly store: Store
  readonly code: CodeStore
  readonly images: RuntimeImages
  readonly keys: Keys
  /** What VpcConfig and FileSystemConfigs may name. */
  readonly room: MachineRoom
  /** Unix milliseconds. */
  readonly clock: () => number
  readonly settings: ConcurrencyBounds & {
    /** The container engine's architecture: functions of the other one are refused. */
    readonly architecture: Architecture
  }
  readonly log: ControlLog
}

export interface ControlPlane {
  readonly functions: Functions
  readonly versions: Versions
  readonly aliases: Aliases
  readonly concurrency: Concurrency
  readonly account: Account
  readonly tags: Tags
  readonly layers: Layers
  readonly layerPermissions: LayerPermissions
  readonly permissions: Permissions
  readonly images: RuntimeImages
  /** Called once at start: takes up creations and updates that a crash interrupted. Returns their number. */
  resume(): Promise<number>
  /** Resolves when no function is being prepared. */
  settled(): Promise<void>
  /** Called at stop, before the store is closed: what is still being prepared stays Pending or InProgress for the next `resume`. */
  close(): void
}

export function createControlPlane({
  store,
  code,
  images,
  keys,
  room,
  clock,
  settings,
  log,
}: ControlPlaneNeeds): ControlPlane {
  const preparation = new Preparation(store.functions, images, log)
  const secrets = new Secrets(keys)
  return {
    functions: new Functions({
      store,
      code,
      images,
      preparation,
      layers: new FunctionLayers(store.layers, code),
      secrets,
      room,
      clock,
      architecture: settings.architecture,
    }),
    versions: new Versions(store, secrets, clock),
    aliases: new Aliases(store),
    concurrency: new Concurrency(store, settings),
    account: new Account(store, settings.accountConcurrency),
    tags: new Tags(store),
    layers: new Layers(store.layers, code, clock),
    layerPermissions: new LayerPermissions(store.layers),
    permissions: new Permissions(store),
    images,
    resume: () => preparation.resume(),
    settled: () => preparation.settled(),
    close: () => preparation.close(),
  }
}
