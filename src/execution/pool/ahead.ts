/** Environments started before an invocation asks for them: who starts them, and what it tells whom. */
import type { FunctionVersion } from '../../lambda/function.ts'
import type { ExecutionEnvironment } from '../environment.ts'

export interface AheadStarter {
  /** `undefined`: there is no room for another environment. */
  startAhead(version: FunctionVersion, observer: AheadObserver): ExecutionEnvironment | undefined
  /** Keeps it no longer: it is removed now, or after the invocation that it runs. */
  release(environment: ExecutionEnvironment): void
}

/** Whom `startAhead` tells of its environment. */
export interface AheadObserver {
  /** It is initialized. */
  ready(): void
  /** It could not be started, or its Init failed; `gone` follows. */
  failed(failure: ProvisionFailure): void
  gone(): void
}

/** Why an environment is not there: its Init failed, there is no room, it was lost just after Init, or the platform's own failure. */
export type ProvisionFailure =
  | { readonly kind: 'init' | 'room' | 'lost' }
  | { readonly kind: 'platform'; readonly error: unknown }
