/** What the control plane asks of the store about event-invoke configurations. */
import type { EventInvokeConfig } from '../lambda/events/event-invoke.ts'
import type { FunctionKey } from '../lambda/function.ts'
import type { Page, PageRequest } from './page.ts'

export interface QualifiedEventInvokeConfig {
  /** `$LATEST`, a version or an alias. */
  readonly qualifier: string
  readonly config: EventInvokeConfig
}

export interface EventInvokeConfigStore {
  find(key: FunctionKey, qualifier: string): Promise<EventInvokeConfig | undefined>
  /** Stores what `change` makes of it, called within the transaction. @throws ResourceNotFoundException (function, version or alias) */
  change(
    key: FunctionKey,
    qualifier: string,
    change: (before: EventInvokeConfig | undefined) => EventInvokeConfig,
  ): Promise<EventInvokeConfig>
  /** `false`: there was none. */
  delete(key: FunctionKey, qualifier: string): Promise<boolean>
  /** By qualifier. */
  list(key: FunctionKey, page: PageRequest): Promise<Page<QualifiedEventInvokeConfig>>
}
