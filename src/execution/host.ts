/** What all environments of a host share. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { PackageFolder } from '../code/sealed-packages.ts'
import type { FunctionVersion } from '../lambda/function.ts'
import type { MachineRoom } from '../lambda/machine-room.ts'
import type { Listeners } from '../runtime-api/api.ts'
import type { ImageProgram, SandboxDriver } from '../sandbox/driver.ts'
import type { EventBus } from '../telemetry/events.ts'
import type { LogStore } from '../telemetry/log-store.ts'

export interface EnvironmentHost {
  readonly driver: SandboxDriver
  readonly listeners: Listeners
  readonly logs: LogStore
  readonly bus: EventBus
  /** Image of the version's runtime. */
  readonly image: (version: FunctionVersion) => Promise<string>
  /** Image and program of a version of PackageType Image. */
  readonly functionImage: (
    version: FunctionVersion,
  ) => Promise<{ readonly reference: string; readonly program: ImageProgram }>
  /** The engine did not have it: what was remembered of images is worth nothing. */
  readonly imageMissing: () => void
  /** 64 hex digits that name the runtime's image in its ARN. */
  readonly runtimeVersionHash: (version: FunctionVersion) => string
  /** The unpacked package. @throws LambdaException when it cannot be decrypted or is damaged */
  readonly code: (version: FunctionVersion) => Promise<PackageFolder>
  /** Folder with the merged layers; `undefined`: the version has none. */
  readonly layersPath: (version: FunctionVersion) => Promise<string | undefined>
  /** The version with its environment variables decrypted. @throws LambdaException KMS…Exception */
  readonly opened: (version: FunctionVersion) => FunctionVersion
  /** What subnets, security groups and access points are here. */
  readonly room: MachineRoom
  readonly functionEnv: Readonly<Record<string, string>>
  /** The Lambda API for calls from inside the sandbox, as the function's own account; `undefined` switches it off. */
  readonly lambdaApi:
    | ((version: FunctionVersion, request: IncomingMessage, response: ServerResponse) => void)
    | undefined
}
