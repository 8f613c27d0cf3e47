/** One place where events end. */
import type { ClaimedDelivery } from '../../store/delivery-store.ts'

export interface DestinationTarget {
  /** Resolves when the other side has taken it. @throws Error that says why not; it is tried again. */
  send(delivery: ClaimedDelivery, signal: AbortSignal): Promise<void>
}

/** What the operator can do is part of the text. */
export class DeliveryFailure extends Error {
  override readonly name = 'DeliveryFailure'
}

/** What went wrong, for the log. `fetch` and the clients put what happened to the connection behind a text that says nothing. */
export function failureText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const own = error.message === '' ? error.name : `${error.name}: ${error.message}`
  const behind = error instanceof AggregateError ? error.errors[0] : error.cause
  return behind === undefined ? own : `${own} (${failureText(behind)})`
}
