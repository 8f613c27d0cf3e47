/** ARNs to the places where events end: those that the operator mapped to a folder or a webhook, then the services themselves. */
import { parseDestination } from '../../lambda/events/destination.ts'
import type { ClaimedDelivery } from '../../store/delivery-store.ts'
import { type AwsKind, AwsTargets } from './aws.ts'
import { folderTarget } from './folder.ts'
import { DeliveryFailure, type DestinationTarget } from './target.ts'
import { webhookTarget } from './webhook.ts'

export interface DestinationsOptions {
  /** ARN to `folder:/path` or `https://…` (setting `destinations`). */
  readonly named: Readonly<Record<string, string>>
  /** Key of the signatures of webhooks. */
  readonly secret: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: () => number
}

export class Destinations implements DestinationTarget {
  readonly #options: DestinationsOptions
  readonly #aws: AwsTargets

  constructor(options: DestinationsOptions) {
    this.#options = options
    this.#aws = new AwsTargets(options.environment)
  }

  async send(delivery: ClaimedDelivery, signal: AbortSignal): Promise<void> {
    await this.#target(delivery.target).send(delivery, signal)
  }

  #target(arn: string): DestinationTarget {
    const { named, secret, clock } = this.#options
    const place = Object.hasOwn(named, arn) ? named[arn] : undefined
    if (place?.startsWith('folder:')) return folderTarget(place.slice('folder:'.length))
    if (place !== undefined) return webhookTarget({ url: place, secret: secret ?? '', clock })
    const parsed = parseDestination(arn)
    if (parsed === undefined || parsed.kind === 'lambda') throw new DeliveryFailure(`${arn} is not a destination.`)
    return this.#aws.target(parsed as typeof parsed & { readonly kind: AwsKind })
  }
}
