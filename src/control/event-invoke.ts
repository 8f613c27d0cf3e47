/**
 * PutFunctionEventInvokeConfig, UpdateFunctionEventInvokeConfig, GetFunctionEventInvokeConfig, ListFunctionEventInvokeConfigs,
 * DeleteFunctionEventInvokeConfig. Each function, version and alias has its own; publishing copies none.
 */
import { functionArn, isVersion } from '../lambda/arn.ts'
import { LambdaException } from '../lambda/errors.ts'
import { checkedDestinations, type DestinationArn, destinationFunction } from '../lambda/events/destination.ts'
import type { EventInvokeConfig } from '../lambda/events/event-invoke.ts'
import type { FunctionKey } from '../lambda/function.ts'
import { functionMissing, refused } from '../lambda/refusals.ts'
import type { QualifiedEventInvokeConfig } from '../store/event-invoke-store.ts'
import type { Page, PageRequest } from '../store/page.ts'
import type { Store } from '../store/store.ts'
import type { PutFunctionEventInvokeConfigRequest } from './requests.ts'

export interface QualifiedConfig {
  readonly qualifier: string
  readonly config: EventInvokeConfig
}

export class EventInvoke {
  readonly #store: Store
  readonly #clock: () => number

  constructor(store: Store, clock: () => number) {
    this.#store = store
    this.#clock = clock
  }

  /** Replaces what there is. */
  async put(
    key: FunctionKey,
    qualifier: string | undefined,
    input: PutFunctionEventInvokeConfigRequest,
  ): Promise<QualifiedConfig> {
    await this.#check(key, qualifier, input)
    return this.#write(key, qualifier, () => configOf({}, input, this.#clock()))
  }

  /** Changes the members that are given. @throws LambdaException ResourceNotFoundException when there is none yet */
  async update(
    key: FunctionKey,
    qualifier: string | undefined,
    input: PutFunctionEventInvokeConfigRequest,
  ): Promise<QualifiedConfig> {
    await this.#check(key, qualifier, input)
    return this.#write(key, qualifier, (before) => {
      if (before === undefined) throw noConfig(key, qualifier)
      return configOf(before, input, this.#clock())
    })
  }

  async get(key: FunctionKey, qualifier = '$LATEST'): Promise<QualifiedConfig> {
    const config = await this.#store.eventInvoke.find(key, qualifier)
    if (config === undefined) throw noConfig(key, qualifier)
    return { qualifier, config }
  }

  async delete(key: FunctionKey, qualifier = '$LATEST'): Promise<void> {
    if (!(await this.#store.eventInvoke.delete(key, qualifier))) throw noConfig(key, qualifier)
  }

  async list(key: FunctionKey, page: PageRequest): Promise<Page<QualifiedEventInvokeConfig>> {
    if (!(await this.#exists(key, '$LATEST'))) throw functionMissing()
    return this.#store.eventInvoke.list(key, page)
  }

  async #write(
    key: FunctionKey,
    qualifier = '$LATEST',
    change: (before: EventInvokeConfig | undefined) => EventInvokeConfig,
  ): Promise<QualifiedConfig> {
    return { qualifier, config: await this.#store.eventInvoke.change(key, qualifier, change) }
  }

  async #check(key: FunctionKey, qualifier = '$LATEST', input: PutFunctionEventInvokeConfigRequest): Promise<void> {
    const { maximumRetryAttempts, maximumEventAgeInSeconds, destinationConfig } = input
    if (
      maximumRetryAttempts === undefined &&
      maximumEventAgeInSeconds === undefined &&
      destinationConfig === undefined
    ) {
      throw refused('You must specify at least one of error handling or destination setting.')
    }
    if (!(await this.#exists(key, qualifier))) throw functionMissing()
    const destinations = checkedDestinations({
      onSuccess: destinationConfig?.onSuccess?.destination,
      onFailure: destinationConfig?.onFailure?.destination,
    })
    for (const destination of destinations) await this.#checkFunction(key, destination)
  }

  async #checkFunction(key: FunctionKey, destination: DestinationArn): Promise<void> {
    if (destination.kind !== 'lambda') return
    const { key: other, qualifier } = destinationFunction(destination)
    if (functionArn(other) === functionArn(key))
      throw refused("You can't specify the function as a destination for itself.")
    // Policies grant other accounts an invoke, and may change: what ends in another account or region is refused.
    const near = other.account === key.account && other.region === key.region
    if (!near || !(await this.#exists(other, qualifier ?? '$LATEST'))) {
      throw refused(`The destination ARN ${destination.arn} is invalid.`)
    }
  }

  async #exists(key: FunctionKey, qualifier: string): Promise<boolean> {
    const { versions, aliases } = this.#store
    const found = isVersion(qualifier) ? await versions.find(key, qualifier) : await aliases.find(key, qualifier)
    return found !== undefined
  }
}

/** A destination without an ARN is taken away, so that what Get answers can be sent back. */
function configOf(
  before: Partial<EventInvokeConfig>,
  input: PutFunctionEventInvokeConfigRequest,
  now: number,
): EventInvokeConfig {
  const { maximumRetryAttempts, maximumEventAgeInSeconds, destinationConfig } = input
  const onSuccess = changedDestination(before.onSuccess, destinationConfig?.onSuccess)
  const onFailure = changedDestination(before.onFailure, destinationConfig?.onFailure)
  const retries = maximumRetryAttempts ?? before.maximumRetryAttempts
  const age = maximumEventAgeInSeconds ?? before.maximumEventAge
  return {
    lastModified: now,
    ...(retries === undefined ? {} : { maximumRetryAttempts: retries }),
    ...(age === undefined ? {} : { maximumEventAge: age }),
    ...(onSuccess ? { onSuccess } : {}),
    ...(onFailure ? { onFailure } : {}),
  }
}

function changedDestination(before: string | undefined, given: { readonly destination?: string } | undefined) {
  return given === undefined ? before : given.destination
}

function noConfig(key: FunctionKey, qualifier = '$LATEST'): LambdaException {
  return new LambdaException(
    'ResourceNotFoundException',
    `The function ${functionArn(key, qualifier)} doesn't have an EventInvokeConfig`,
  )
}
