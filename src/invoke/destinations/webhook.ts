/**
 * A URL as destination: POST with the record, or with the event itself for a dead letter. Signed, so that the receiver knows who sent it:
 * `X-Hearth-Signature: t=<Unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">` with the operator's secret. Any 2xx means taken.
 */
import { createHmac } from 'node:crypto'
import type { ClaimedDelivery } from '../../store/delivery-store.ts'
import { DeliveryFailure, type DestinationTarget } from './target.ts'

export interface WebhookOptions {
  readonly url: string
  readonly secret: string
  /** Unix milliseconds. */
  readonly clock: () => number
}

export function webhookTarget({ url, secret, clock }: WebhookOptions): DestinationTarget {
  return {
    async send(delivery, signal) {
      const response = await fetch(url, {
        method: 'POST',
        headers: headersOf(delivery, signature(secret, Math.floor(clock() / 1000), delivery.body)),
        body: delivery.body as Uint8Array<ArrayBuffer>,
        // Another address has not been named by the operator.
        redirect: 'manual',
        signal,
      })
      await response.body?.cancel()
      if (!response.ok) throw new DeliveryFailure(`The webhook answered ${response.status}.`)
    },
  }
}

/** The value of X-Hearth-Signature. */
export function signature(secret: string, seconds: number, body: Uint8Array): string {
  const mac = createHmac('sha256', secret).update(`${seconds}.`).update(body).digest('hex')
  return `t=${seconds},v1=${mac}`
}

function headersOf({ id, detail, target }: ClaimedDelivery, signed: string): Record<string, string> {
  const attributes = Object.entries(detail.attributes ?? {}).map(
    // Headers are ASCII: an error message may be anything.
    ([name, value]) => [`X-Hearth-Attribute-${name}`, encodeURIComponent(value)] as const,
  )
  return {
    'Content-Type': 'application/json',
    'User-Agent': 'hearth',
    'X-Hearth-Signature': signed,
    // The same over all attempts: a receiver that has seen it may pass over it.
    'X-Hearth-Delivery': `${detail.requestId}-${id}`,
    'X-Hearth-Kind': detail.kind,
    'X-Hearth-Target': target,
    'X-Hearth-Function': detail.functionArn,
    ...(detail.traceHeader === undefined ? {} : { 'X-Amzn-Trace-Id': detail.traceHeader }),
    ...Object.fromEntries(attributes),
  }
}
