/** The outbox: records and dead letters, written in the transaction that ends their event, sent at least once, each by the instance that claimed it. */
import type { Kysely } from 'kysely'
import type { ClaimedDelivery, DeliveryLimits, DeliveryStore } from '../delivery-store.ts'
import type { OpenDatabase } from '../sqlite/sqlite.ts'
import type { Tables } from '../tables.ts'
import { DeliveryStatements } from './delivery-statements.ts'
import type { GroupCommit } from './group-commit.ts'
import { NEVER_DUE } from './leases.ts'

export class SqlDeliveries implements DeliveryStore {
  readonly #db: Kysely<Tables>
  readonly #commits: GroupCommit
  readonly #statements: DeliveryStatements
  readonly #owner: string

  constructor(database: Pick<OpenDatabase, 'db' | 'connection' | 'instance'>, commits: GroupCommit) {
    this.#db = database.db
    this.#commits = commits
    this.#owner = database.instance
    this.#statements = new DeliveryStatements(database.connection)
  }

  claim(now: number, limit: number, limits: DeliveryLimits): Promise<ClaimedDelivery[]> {
    const statements = this.#statements
    const room = (target: string) => limits.targets.get(target) ?? limits.each
    return this.#commits.run(() => {
      const claimed: ClaimedDelivery[] = []
      // Those with the most room first: many busy ones must not keep the others from their turn.
      const targets = statements.targets().map((target) => ({ target, own: room(target) }))
      for (const { target, own } of targets.sort((a, b) => b.own - a.own)) {
        // Only what is taken counts: a target may have nothing that is due.
        const wanted = Math.min(own, limit - claimed.length)
        if (wanted <= 0) continue
        for (const id of statements.dueOf(target, now, wanted)) claimed.push(statements.claim(id, this.#owner))
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

  recover(now: number): Promise<number> {
    return this.#commits.run(() => this.#statements.recover(now, this.#owner))
  }

  async nextDue(after: number): Promise<number | undefined> {
    const row = await this.#db
      .selectFrom('deliveries')
      .select('due_at')
      .where('due_at', '>', after)
      .where('due_at', '<', NEVER_DUE)
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
