/** The outbox: records and dead letters, written in the transaction that ends their event, sent at least once under lease and epoch. */
import type { Kysely } from 'kysely'
import type { ClaimedDelivery, DeliveryStore } from '../delivery-store.ts'
import type { OpenDatabase } from '../sqlite/sqlite.ts'
import type { Tables } from '../tables.ts'
import { DeliveryStatements } from './delivery-statements.ts'
import type { GroupCommit } from './group-commit.ts'

export class SqlDeliveries implements DeliveryStore {
  readonly #db: Kysely<Tables>
  readonly #commits: GroupCommit
  readonly #statements: DeliveryStatements

  constructor(database: Pick<OpenDatabase, 'db' | 'connection'>, commits: GroupCommit) {
    this.#db = database.db
    this.#commits = commits
    this.#statements = new DeliveryStatements(database.connection)
  }

  claim(now: number, leaseUntil: number, limit: number, room: (target: string) => number): Promise<ClaimedDelivery[]> {
    const statements = this.#statements
    return this.#commits.run(() => {
      const claimed: ClaimedDelivery[] = []
      // Those with the most room first: many busy ones must not keep the others from their turn.
      const targets = statements.targets().map((target) => ({ target, own: room(target) }))
      for (const { target, own } of targets.sort((a, b) => b.own - a.own)) {
        // Only what is taken counts: a target may have nothing that is due.
        const wanted = Math.min(own, limit - claimed.length)
        if (wanted <= 0) continue
        for (const id of statements.dueOf(target, now, wanted)) claimed.push(statements.claim(id, leaseUntil))
      }
      return claimed
    })
  }

  settle(id: number, epoch: number, outcome: 'delivered' | 'abandoned'): Promise<boolean> {
    return this.#commits.run(() => {
      const removed = this.#statements.remove(id, epoch)
      if (removed) this.#statements.count(outcome)
      return removed
    })
  }

  release(id: number, epoch: number, availableAt: number): Promise<boolean> {
    return this.#commits.run(() => this.#statements.release(id, epoch, availableAt))
  }

  voidLeases(now: number): Promise<number> {
    return this.#commits.run(() => this.#statements.voidLeases(now))
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
