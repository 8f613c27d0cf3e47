/**
 * An invocation's answer on its way from the runtime to whoever asked: `begin`, any number of `chunk`s, `end`. Nothing on the way keeps the
 * body. Who takes it says when it has had enough, and then the function's own connection waits.
 */
import type { AnswerBody, AnswerHead } from '../runtime-api/api.ts'
import type { InvocationEnding } from './invocation.ts'

export type { AnswerHead } from '../runtime-api/api.ts'

/** Takes one answer; the end of it at the caller's side. */
export interface AnswerFlow extends AnswerBody {
  /** Called once, also when the answer never began or broke off; nothing comes after it. */
  end(ending: InvocationEnding): void
}

/** Ends an answer once: a runtime that timed out may write on until its processes are gone. */
export class OneAnswer implements AnswerFlow {
  readonly #flow: AnswerFlow
  #ended = false

  constructor(flow: AnswerFlow) {
    this.#flow = flow
  }

  get limitBytes(): number {
    return this.#flow.limitBytes
  }

  get keeps(): boolean {
    return this.#flow.keeps
  }

  begin(head: AnswerHead): void {
    if (!this.#ended) this.#flow.begin(head)
  }

  chunk(bytes: Uint8Array): Promise<void> | undefined {
    return this.#ended ? undefined : this.#flow.chunk(bytes)
  }

  end(ending: InvocationEnding): void {
    if (this.#ended) return
    this.#ended = true
    this.#flow.end(ending)
  }
}
