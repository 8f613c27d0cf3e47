/**
 * PlatformEvent: what the host tells its observers (metrics, console, admin API). Observers only look: with every subscriber removed the
 * host behaves the same, and an observer that throws disturbs nobody.
 */
import type { FunctionKey } from '../lambda/function.ts'

export type PlatformEvent =
  | {
      readonly type: 'environment.state'
      readonly environment: string
      readonly function: FunctionKey
      readonly version: string
      readonly from: string
      readonly to: string
      /** Milliseconds spent in `from`. */
      readonly heldMs: number
    }
  | {
      readonly type: 'environment.started'
      readonly environment: string
      readonly function: FunctionKey
      /** Milliseconds by phase: reserve, listen, sandbox, init. */
      readonly phases: Readonly<Record<string, number>>
    }
  | {
      readonly type: 'invocation.finished'
      readonly function: FunctionKey
      readonly version: string
      readonly requestId: string
      readonly durationMs: number
      readonly cold: boolean
      /** It ran in an environment of provisioned concurrency. */
      readonly provisioned: boolean
      /** `success`, or the error type. */
      readonly outcome: string
    }
  /** A version with provisioned concurrency ran it on demand. */
  | { readonly type: 'invocation.spilled'; readonly function: FunctionKey; readonly version: string }
  | { readonly type: 'invocation.throttled'; readonly function: FunctionKey; readonly reason: string }
  /** Recursion detection stopped it. */
  | { readonly type: 'invocation.recursive'; readonly function: FunctionKey }
  | { readonly type: 'platform.error'; readonly function: FunctionKey; readonly exception: string }
  /** Its code-signing policy is Warn. */
  | { readonly type: 'code.untrusted'; readonly function: FunctionKey; readonly fault: string }
  | { readonly type: 'event.enqueued'; readonly function: FunctionKey; readonly requestId: string }

export type Observer = (event: PlatformEvent) => void

export class EventBus {
  #observers: readonly Observer[] = []

  subscribe(observer: Observer): () => void {
    this.#observers = [...this.#observers, observer]
    return () => {
      this.#observers = this.#observers.filter((each) => each !== observer)
    }
  }

  emit(event: PlatformEvent): void {
    for (const observer of this.#observers) {
      try {
        observer(event)
      } catch {
        // An observer's failure is its own: it must not reach an invocation.
      }
    }
  }
}
