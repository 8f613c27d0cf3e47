/** One place where events end. */
import type { ClaimedDelivery } from '../../store/store.ts'

export interface DestinationTarget {
  /** Resolves when the other side has taken it. @throws Error that says why not; it is tried again. */
  send(delivery: ClaimedDelivery, signal: AbortSignal): Promise<void>
}

/** What the operator can do is part of the text. */
export class DeliveryFailure extends Error {
  override readonly name = 'DeliveryFailure'
}
