/** What the suites of the store share: the store that they are given, and what they put into it. */
import type { FunctionConfiguration, FunctionKey } from '../../../src/lambda/function.ts'
import type { NewEvent } from '../../../src/store/event-queue-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { validConfiguration } from '../../support/configuration.ts'

export interface StoreUnderTest {
  /** As it was made; `reopen` gives another one. */
  readonly store: Store
  /** Closes the store and opens the same database again. */
  reopen(): Promise<Store>
  dispose(): Promise<void>
}

export const key = (name: string): FunctionKey => ({ account: '111111111111', region: 'us-east-1', name })

export const validEvent = (changes: Partial<NewEvent> = {}): NewEvent => ({
  function: key('f'),
  qualifier: undefined,
  requestId: 'r-1',
  traceHeader: 'Root=1-0-0',
  payload: new TextEncoder().encode('{"a":1}'),
  enqueuedAt: 1000,
  ...changes,
})

/** Calls that most suites make. */
export function callsOf(store: () => Store) {
  const createActive = async (name: string, changes: Partial<FunctionConfiguration> = {}, publish = false) => {
    const { latest } = await store().functions.create(
      key(name),
      { configuration: validConfiguration(changes), tags: {}, publish },
      1000,
    )
    await store().functions.completeUpdate(key(name), latest.deploymentId, { ok: true })
    return latest
  }
  const update = (name: string, changes: Partial<FunctionConfiguration>, revisionId?: string, publish = false) =>
    store().functions.beginUpdate(
      key(name),
      { change: (current) => ({ ...current, ...changes }), publish, revisionId },
      2000,
    )
  const finish = async (name: string) => {
    const stored = await store().functions.find(key(name))
    return store().functions.completeUpdate(key(name), stored?.latest.deploymentId ?? '', { ok: true })
  }
  const invocable = async (name: string, qualifier = '$LATEST') =>
    (await store().targets.find(key(name), qualifier))?.versions[0]?.version
  return { createActive, update, finish, invocable }
}
