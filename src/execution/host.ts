/** What all environments of a host share. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RoleSession } from '../lambda/role-session.ts'
import type { Listeners } from '../runtime-api/api.ts'
import type { SandboxDriver } from '../sandbox/driver.ts'
import type { EventBus } from '../telemetry/events.ts'
import type { LogStore } from '../telemetry/log-store.ts'
import type { SessionKeys } from './session-keys.ts'
import type { Workloads } from './workload.ts'

export interface EnvironmentHost {
  readonly driver: SandboxDriver
  readonly listeners: Listeners
  readonly workloads: Workloads
  readonly logs: LogStore
  readonly bus: EventBus
  readonly sessionKeys: SessionKeys
  /** Opens the door of one environment: what its code reaches besides the Runtime API, as that session. `undefined`: nothing. */
  readonly sandboxApi:
    | ((session: RoleSession) => (request: IncomingMessage, response: ServerResponse) => void)
    | undefined
}
