/** The outbox: records and dead letters, written in the transaction that ends their event, sent at least once under lease and epoch. */
import { type Kysely, sql, type Transaction } from 'kysely'
import { bytesOf, keyOf, keyText } from './event-statements.ts'
import type { GroupCommit } from './group-commit.ts'
import type { ClaimedDelivery, DeliveryDetail, DeliveryStore, NewDelivery } from './store.ts'
import type { Tables } from './tables.ts'

const isClaim = (id: number, epoch: number) => ({ id, epoch, claimed: 1 })

export class SqlDeliveries implements DeliveryStore {
  readonly #db: Kysely<Tables>
  readonly #commits: GroupCommit

  constructor(db: Kysely<Tables>, commits: GroupCommit) {
    this.#db = db
    this.#commits = commits
  }

  claim(now: number, leaseUntil: number, room: (target: string) => number): Promise<ClaimedDelivery[]> {
    return this.#commits.run(async (db) => {
      const ids: number[] = []
      for (const target of await targetsWaiting(db)) {
        const limit = room(target)
        if (limit <= 0) continue
        const rows = await db
          .selectFrom('deliveries')
          .select('id')
          .where('target', '=', target)
          .where('due_at', '<=', now)
          .orderBy('due_at')
          .orderBy('id')
          .limit(limit)
          .execute()
        ids.push(...rows.map(({ id }) => id))
      }
      if (ids.length === 0) return []
      await db
        .updateTable('deliveries')
        .set((eb) => ({ claimed: 1, due_at: leaseUntil, attempts: eb('attempts', '+', 1), epoch: eb('epoch', '+', 1) }))
        .where('id', 'in', ids)
        .execute()
      return readDeliveries(db, ids)
    })
  }

  settle(id: number, epoch: number, outcome: 'delivered' | 'abandoned'): Promise<boolean> {
    return this.#commits.run(async (db) => {
      const { numDeletedRows } = await db
        .deleteFrom('deliveries')
        .where((eb) => eb.and(isClaim(id, epoch)))
        .executeTakeFirst()
      if (numDeletedRows !== 1n) return false
      await db
        .updateTable('delivery_counts')
        .set((eb) => ({ [outcome]: eb(outcome, '+', 1) }))
        .execute()
      return true
    })
  }

  release(id: number, epoch: number, availableAt: number): Promise<boolean> {
    return this.#commits.run(async (db) => {
      const { numUpdatedRows } = await db
        .updateTable('deliveries')
        .set({ claimed: 0, due_at: availableAt })
        .where((eb) => eb.and(isClaim(id, epoch)))
        .executeTakeFirst()
      return numUpdatedRows === 1n
    })
  }

  voidLeases(now: number): Promise<number> {
    return this.#commits.run(async (db) => {
      const { numUpdatedRows } = await db
        .updateTable('deliveries')
        .set((eb) => ({ claimed: 0, due_at: now, epoch: eb('epoch', '+', 1) }))
        .where('claimed', '=', 1)
        .executeTakeFirst()
      return Number(numUpdatedRows)
    })
  }

  async nextDue(after: number): Promise<number | undefined> {
    const row = await this.#db
      .selectFrom('deliveries')
      .select('due_at')
      .where('due_at', '>', after)
      .orderBy('due_at')
      .limit(1)
      .executeTakeFirst()
    return row?.due_at
  }

  async counts(): ReturnType<DeliveryStore['counts']> {
    const counts = await this.#db
      .selectFrom('delivery_counts')
      .select(['decided', 'delivered', 'abandoned'])
      .executeTakeFirstOrThrow()
    const rows = await this.#db
      .selectFrom('deliveries')
      .select((eb) => ['target', eb.fn.countAll<number>().as('waiting'), eb.fn.min('created_at').as('oldest')])
      .groupBy('target')
      .execute()
    return {
      ...counts,
      targets: rows.map(({ target, waiting, oldest }) => ({
        target,
        waiting: Number(waiting),
        oldestAt: Number(oldest),
      })),
    }
  }
}

/** In the transaction that ends the event. */
export async function insertDelivery(db: Transaction<Tables>, delivery: NewDelivery): Promise<void> {
  const { id } = await db
    .insertInto('deliveries')
    .values({
      function_key: keyText(delivery.function),
      target: delivery.target,
      detail: JSON.stringify(delivery.detail),
      created_at: delivery.createdAt,
      due_at: delivery.createdAt,
      claimed: 0,
      attempts: 0,
      epoch: 0,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  await db.insertInto('delivery_bodies').values({ delivery_id: id, body: delivery.body }).execute()
  await db
    .updateTable('delivery_counts')
    .set((eb) => ({ decided: eb('decided', '+', 1) }))
    .execute()
}

async function targetsWaiting(db: Transaction<Tables>): Promise<string[]> {
  const { rows } = await sql<{ target: string | null }>`
    with recursive waiting(target) as (
      select min(target) from deliveries
      union all
      select (select min(d.target) from deliveries d where d.target > waiting.target)
      from waiting where waiting.target is not null
    )
    select target from waiting`.execute(db)
  return rows.flatMap((row) => row.target ?? [])
}

async function readDeliveries(db: Transaction<Tables>, ids: readonly number[]): Promise<ClaimedDelivery[]> {
  const rows = await db
    .selectFrom('deliveries')
    .innerJoin('delivery_bodies', 'delivery_bodies.delivery_id', 'deliveries.id')
    .selectAll()
    .where('deliveries.id', 'in', ids)
    .orderBy('deliveries.id')
    .execute()
  return rows.map((row) => ({
    id: row.delivery_id,
    function: keyOf(row.function_key),
    target: row.target,
    detail: JSON.parse(row.detail) as DeliveryDetail,
    body: bytesOf(row.body),
    createdAt: row.created_at,
    attempts: row.attempts - 1,
    epoch: row.epoch,
  }))
}
