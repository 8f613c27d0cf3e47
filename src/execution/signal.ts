/** What an environment may hear while it boots or runs an invocation. */
import type { InvocationOutcome } from '../runtime-api/api.ts'
import type { ProcessExit } from '../sandbox/driver.ts'

export type Signal =
  | { readonly kind: 'ready' }
  | { readonly kind: 'init-error'; readonly payload: Uint8Array; readonly errorType: string }
  | { readonly kind: 'outcome'; readonly outcome: InvocationOutcome }
  | { readonly kind: 'exit'; readonly exit: ProcessExit }
  | { readonly kind: 'launch-failure'; readonly process: string; readonly errno: string; readonly path: string }
  | { readonly kind: 'lost'; readonly reason: string }
  | { readonly kind: 'deadline' }
