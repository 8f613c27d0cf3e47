/** Records and dead letters on their way to where events end. */
import type { FunctionKey } from '../lambda/function.ts'

/** Kept as JSON. */
export interface DeliveryDetail {
  readonly kind: 'success' | 'failure' | 'dead-letter'
  readonly requestId: string
  /** ARN of the function with the qualifier that was invoked. */
  readonly functionArn: string
  /** X-Amzn-Trace-Id for whom it makes run next, with this run in its lineage. */
  readonly traceHeader?: string
  /** Of a dead letter. */
  readonly attributes?: Readonly<Record<'RequestID' | 'ErrorCode' | 'ErrorMessage', string>>
}

/** A record or a dead letter on its way. */
export interface NewDelivery {
  readonly function: FunctionKey
  readonly target: string
  readonly detail: DeliveryDetail
  readonly body: Uint8Array
  /** Unix milliseconds. */
  readonly createdAt: number
}

export interface ClaimedDelivery extends NewDelivery {
  readonly id: number
  /** How often it was tried before. */
  readonly attempts: number
  readonly epoch: number
}

/** How many deliveries a claim may take of each target. */
export interface DeliveryLimits {
  /** Of each target that `targets` does not name. */
  readonly each: number
  readonly targets: ReadonlyMap<string, number>
}

export interface DeliveryStore {
  /** Takes up to `limit` due deliveries, oldest first, within the limits. They belong to this instance as claimed events do. */
  claim(now: number, limit: number, limits: DeliveryLimits): Promise<ClaimedDelivery[]>
  /** `false`: the claim was no longer ours, nothing changed. */
  settle(id: number, epoch: number, outcome: 'delivered' | 'abandoned'): Promise<boolean>
  release(id: number, epoch: number, availableAt: number): Promise<boolean>
  /** As of the event queue. */
  recover(now: number): Promise<number>
  /** Unix milliseconds of the first one that is due after `after`. */
  nextDue(after: number): Promise<number | undefined>
  /** decided = delivered + abandoned + what waits for each target. */
  counts(): Promise<{
    readonly decided: number
    readonly delivered: number
    readonly abandoned: number
    readonly targets: readonly { readonly target: string; readonly waiting: number; readonly oldestAt: number }[]
  }>
}
