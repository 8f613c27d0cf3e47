/** The edge of an answer whose caller wants it in one piece: Invoke and asynchronous events. */
import type { AnswerFlow } from '../execution/answer-flow.ts'
import type { InvocationEnding, InvocationResult } from '../execution/invocation.ts'
import { Chunks } from '../http/chunks.ts'
import { LIMITS } from '../lambda/limits.ts'

export class BufferedAnswer implements AnswerFlow {
  readonly limitBytes = LIMITS.responsePayloadBytes
  readonly keeps = true
  #chunks: Chunks | undefined
  #result: InvocationResult | undefined

  begin(): void {
    this.#chunks = new Chunks()
  }

  /** Bounded by the limit: it never makes the function wait. */
  chunk(bytes: Uint8Array): undefined {
    this.#chunks!.add(bytes)
  }

  /** What came before a failure is not part of the answer. */
  end(ending: InvocationEnding): void {
    this.#result = ending.ok ? { ...ending, payload: this.#chunks!.whole() } : ending
    this.#chunks = undefined
  }

  /** Once it has ended. */
  get result(): InvocationResult {
    if (this.#result === undefined) throw new Error('the answer has not ended')
    return this.#result
  }
}
