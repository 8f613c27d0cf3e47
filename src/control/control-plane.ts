/** The control plane: what the API may ask of it, and what it needs. It never starts, stops or calls execution environments. */
import type { Architecture } from '../lambda/function.ts'
import type { MachineRoom } from '../lambda/machine-room.ts'
import type { RuntimeImages } from '../ports/runtime-images.ts'
import type { ConcurrencyBounds } from '../store/provisioned-store.ts'
import type { Store } from '../store/store.ts'
import type { EventBus } from '../telemetry/events.ts'
import { Absent } from './absent.ts'
import { Account } from './account.ts'
import { Aliases } from './aliases.ts'
import { CodeSigning } from './code/code-signing.ts'
import { CodeSource, type CodeSources } from './code/code-source.ts'
import { CodeVerification } from './code/code-verification.ts'
import { Concurrency } from './concurrency.ts'
import { EventInvoke } from './event-invoke.ts'
import { FunctionLayers } from './functions/function-layers.ts'
import { Functions } from './functions/functions.ts'
import { Platform } from './functions/platform.ts'
import { type ControlLog, Preparation } from './functions/preparation.ts'
import { Secrets } from './functions/secrets.ts'
import { Layers } from './layers.ts'
import { LayerPermissions } from './policies/layer-permissions.ts'
import { Permissions } from './policies/permissions.ts'
import { ProvisionedConcurrency } from './provisioned.ts'
import { Recursion } from './recursion.ts'
import { RuntimeManagement } from './runtime-management.ts'
import { Tags } from './tags.ts'
import { Versions } from './versions.ts'

export interface ControlPlaneNeeds extends CodeSources {
  readonly store: Store
  readonly images: RuntimeImages
  /** What VpcConfig and FileSystemConfigs may name. */
  readonly room: MachineRoom
  /** What is not trusted any more: `revokedSignatures` of the operator's list. */
  readonly revokedSignatures: ReadonlySet<string>
  readonly bus: EventBus
  /** Unix milliseconds. */
  readonly clock: () => number
  readonly settings: ConcurrencyBounds & {
    /** The container engine's architecture: functions of the other one are refused. */
    readonly architecture: Architecture
    /** Milliseconds for which new functions and updates stay Pending or InProgress at least. */
    readonly stateDelayMs?: number
  }
  readonly log: ControlLog
}

export interface ControlPlane {
  readonly functions: Functions
  readonly versions: Versions
  readonly aliases: Aliases
  readonly concurrency: Concurrency
  readonly eventInvoke: EventInvoke
  readonly recursion: Recursion
  readonly provisioned: ProvisionedConcurrency
  readonly account: Account
  readonly absent: Absent
  readonly tags: Tags
  readonly codeSigning: CodeSigning
  readonly layers: Layers
  readonly layerPermissions: LayerPermissions
  readonly permissions: Permissions
  readonly runtimeManagement: RuntimeManagement
  readonly images: RuntimeImages
  /** Called once at start: takes up creations and updates that a crash interrupted. Returns their number. */
  resume(): Promise<number>
  /** Resolves when no function is being prepared. */
  settled(): Promise<void>
  /** Called at stop, before the store is closed: what is still being prepared stays Pending or InProgress for the next `resume`. */
  close(): void
}

export function createControlPlane(needs: ControlPlaneNeeds): ControlPlane {
  const { store, images, keys, room, clock, settings, log } = needs
  const preparation = new Preparation(store.functions, needs, log, { clock, stateDelayMs: settings.stateDelayMs ?? 0 })
  const secrets = new Secrets(keys)
  const source = new CodeSource(needs)
  const codeSigning = new CodeSigning(store, clock)
  const verification = new CodeVerification(needs)
  const functions = new Functions({
    store,
    platform: new Platform(settings.architecture, images),
    source,
    preparation,
    layers: new FunctionLayers(store.layers, needs.code),
    codeSigning,
    verification,
    secrets,
    room,
    clock,
  })
  return {
    functions,
    versions: new Versions(store, secrets, clock),
    aliases: new Aliases(store),
    concurrency: new Concurrency(store, settings),
    eventInvoke: new EventInvoke(store, clock),
    recursion: new Recursion(store),
    provisioned: new ProvisionedConcurrency(store, settings, clock),
    absent: new Absent(store),
    account: new Account(store, settings.accountConcurrency),
    tags: new Tags(store),
    codeSigning,
    layers: new Layers(store.layers, source, verification, clock),
    layerPermissions: new LayerPermissions(store.layers),
    permissions: new Permissions(store),
    runtimeManagement: new RuntimeManagement(store, images, functions),
    images,
    resume: () => preparation.resume(),
    settled: () => preparation.settled(),
    close: () => preparation.close(),
  }
}
