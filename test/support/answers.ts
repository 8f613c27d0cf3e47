/** Answers of stand-ins for whatever runs functions. */
import type { AnswerFlow } from '../../src/execution/answer-flow.ts'
import type { InvocationEnding, InvocationResult } from '../../src/execution/invocation.ts'

/** Sends a result as a runtime would: its answer in one piece, or no answer and its error. */
export function answerWith(flow: AnswerFlow, result: InvocationResult): InvocationEnding {
  if (!result.ok) {
    flow.end(result)
    return result
  }
  const { payload, ...ending } = result
  flow.begin({ streaming: false, contentType: undefined })
  flow.chunk(payload)
  flow.end(ending)
  return ending
}
