/** What all environments of a host share. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FunctionVersion } from '../lambda/function.ts'
import type { Listeners } from '../runtime-api/api.ts'
import type { SandboxDriver } from '../sandbox/driver.ts'
import type { EventBus } from '../telemetry/events.ts'
import type { LogStore } from '../telemetry/log-store.ts'
import type { Workloads } from './workload.ts'

export interface EnvironmentHost {
  readonly driver: SandboxDriver
  readonly listeners: Listeners
  readonly workloads: Workloads
  readonly logs: LogStore
  readonly bus: EventBus
  /** The Lambda API for calls from inside the sandbox, as the function's own account; `undefined` switches it off. */
  readonly lambdaApi:
    | ((version: FunctionVersion, request: IncomingMessage, response: ServerResponse) => void)
    | undefined
}
