/** Which due events a claim takes: the oldest first, but of no function more than it has room for. */
import { sql, type Transaction } from 'kysely'
import type { FunctionKey } from '../lambda/function.ts'
import type { ClaimedEvent } from './store.ts'
import type { Tables } from './tables.ts'

/** Due events that a claim looks through before it jumps from function to function. */
const CLAIM_WINDOW = 200

export interface DueEvent {
  readonly id: number
  readonly claimed: number
  readonly function_key: string
}

/** How many more events of a function may be claimed; asked once for each function of a claim. */
export type RoomOf = (key: FunctionKey) => number

/**
 * One function without room may own a million of the oldest events, so after a short look along the queue the search goes function by
 * function, each by its own index, that with the oldest event first.
 */
export async function findDue(db: Transaction<Tables>, now: number, limit: number, room: RoomOf): Promise<DueEvent[]> {
  const left = new Map<string, number>()
  const leftOf = (functionKey: string): number => {
    let known = left.get(functionKey)
    if (known === undefined) {
      known = Math.max(0, room(keyOf(functionKey)))
      left.set(functionKey, known)
    }
    return known
  }
  const window = limit + CLAIM_WINDOW
  const oldest = await db
    .selectFrom('events')
    .select(['id', 'claimed', 'function_key'])
    .where('due_at', '<=', now)
    .orderBy('due_at')
    .orderBy('id')
    .limit(window)
    .execute()
  const found: DueEvent[] = []
  const foundOf = new Map<string, number>()
  const take = (event: DueEvent) => {
    left.set(event.function_key, leftOf(event.function_key) - 1)
    foundOf.set(event.function_key, (foundOf.get(event.function_key) ?? 0) + 1)
    found.push(event)
  }
  for (const event of oldest) if (found.length < limit && leftOf(event.function_key) > 0) take(event)
  if (found.length === limit || oldest.length < window) return found

  for (const functionKey of await functionsQueued(db, now)) {
    const wanted = Math.min(leftOf(functionKey), limit - found.length)
    if (wanted <= 0) continue
    const before = foundOf.get(functionKey) ?? 0
    const heads = await db
      .selectFrom('events')
      .select(['id', 'claimed', 'function_key'])
      .where('function_key', '=', functionKey)
      .where('due_at', '<=', now)
      .orderBy('due_at')
      .orderBy('id')
      // The first ones are those taken from the window above.
      .limit(before + wanted)
      .execute()
    for (const event of heads.slice(before)) take(event)
    if (found.length >= limit) break
  }
  return found
}

/** Functions with due events, one jump along the index for each; that with the oldest one first. */
async function functionsQueued(db: Transaction<Tables>, now: number): Promise<string[]> {
  const { rows } = await sql<{ function_key: string; due_at: number | null }>`
    with recursive queued(function_key) as (
      select min(function_key) from events
      union all
      select (select min(e.function_key) from events e where e.function_key > queued.function_key)
      from queued where queued.function_key is not null
    )
    select function_key, (select min(e.due_at) from events e where e.function_key = queued.function_key) as due_at
    from queued where function_key is not null`.execute(db)
  return rows
    .flatMap(({ function_key, due_at }) => (due_at !== null && due_at <= now ? [{ function_key, due_at }] : []))
    .sort((a, b) => a.due_at - b.due_at)
    .map(({ function_key }) => function_key)
}

export async function readClaimed(db: Transaction<Tables>, ids: readonly number[]): Promise<ClaimedEvent[]> {
  const rows = await db
    .selectFrom('events')
    .innerJoin('event_payloads', 'event_payloads.event_id', 'events.id')
    .selectAll()
    .where('events.id', 'in', ids)
    .execute()
  const events = new Map(
    rows.map((row) => [
      row.event_id,
      {
        id: row.event_id,
        function: keyOf(row.function_key),
        qualifier: row.qualifier ?? undefined,
        requestId: row.request_id,
        traceHeader: row.trace_header,
        payload: bytesOf(row.payload),
        enqueuedAt: row.enqueued_at,
        attempts: row.attempts - 1,
        retries: row.retries,
        postponements: row.postponements,
        epoch: row.epoch,
      } satisfies ClaimedEvent,
    ]),
  )
  return ids.flatMap((id) => events.get(id) ?? [])
}

/** A plain view: better-sqlite3 answers with Buffers, whose methods differ from those of Uint8Array. */
export function bytesOf(blob: Uint8Array): Uint8Array {
  return new Uint8Array(blob.buffer, blob.byteOffset, blob.byteLength)
}

export function keyText(key: FunctionKey): string {
  return `${key.account}/${key.region}/${key.name}`
}

export function keyOf(text: string): FunctionKey {
  const [account = '', region = '', name = ''] = text.split('/')
  return { account, region, name }
}
