/** The statements of the outbox that run within a transaction of the group commit, in SQL and prepared once, as those of its events. */

import { functionId } from '../../lambda/function.ts'
import type { ClaimedDelivery, DeliveryDetail, NewDelivery } from '../delivery-store.ts'
import type { SqliteConnection } from '../sqlite/sqlite-engine.ts'
import { bytesOf, keyOf } from './event-statements.ts'
import { NEVER_DUE } from './leases.ts'

interface ClaimedRow {
  readonly function_key: string
  readonly target: string
  readonly detail: string
  readonly created_at: number
  readonly attempts: number
  readonly epoch: number
}

const INSERT = `
  insert into deliveries (function_key, target, detail, created_at, due_at, claimed, attempts, epoch) values (?, ?, ?, ?, ?, 0, 0, 0)`

const INSERT_BODY = 'insert into delivery_bodies (delivery_id, body) values (?, ?)'

/** One jump along the index for each target. */
const TARGETS = `
  with recursive waiting(target) as (
    select min(target) from deliveries
    union all
    select (select min(d.target) from deliveries d where d.target > waiting.target)
    from waiting where waiting.target is not null
  )
  select target from waiting where target is not null`

const DUE_OF = 'select id from deliveries where target = ? and due_at <= ? order by due_at, id limit ?'

const CLAIM = `
  update deliveries set claimed = 1, owner = ?, due_at = ${NEVER_DUE}, attempts = attempts + 1, epoch = epoch + 1 where id = ?
  returning function_key, target, detail, created_at, attempts, epoch`

const BODY = 'select body from delivery_bodies where delivery_id = ?'

const REMOVE = 'delete from deliveries where id = ? and epoch = ? and claimed = 1'

const RELEASE = 'update deliveries set claimed = 0, owner = null, due_at = ? where id = ? and epoch = ? and claimed = 1'

const VOID = `
  update deliveries set claimed = 0, owner = null, due_at = ?, epoch = epoch + 1
  where due_at = ${NEVER_DUE} and claimed = 1 and owner is distinct from ?`

/** As of the events. */
const FROM_THE_FUTURE = `update deliveries set due_at = ? where due_at > ? and due_at < ${NEVER_DUE} and attempts = 0`

export class DeliveryStatements {
  readonly #connection: SqliteConnection

  constructor(connection: SqliteConnection) {
    this.#connection = connection
  }

  insert({ function: key, target, detail, body, createdAt }: NewDelivery): void {
    const values = [functionId(key), target, JSON.stringify(detail), createdAt, createdAt]
    this.#run(INSERT_BODY, [this.#run(INSERT, values).lastInsertRowid, body])
    this.count('decided')
  }

  targets(): string[] {
    return this.#all<{ target: string }>(TARGETS, []).map(({ target }) => target)
  }

  /** Ids of the oldest due ones. */
  dueOf(target: string, now: number, limit: number): number[] {
    return this.#all<{ id: number }>(DUE_OF, [target, now, limit]).map(({ id }) => id)
  }

  /** @throws Error when the delivery is not there */
  claim(id: number, owner: string): ClaimedDelivery {
    const [row] = this.#all<ClaimedRow>(CLAIM, [owner, id])
    const [content] = this.#all<{ body: Uint8Array }>(BODY, [id])
    if (row === undefined || content === undefined) throw new Error(`delivery ${id} is not whole`)
    return {
      id,
      function: keyOf(row.function_key),
      target: row.target,
      detail: JSON.parse(row.detail) as DeliveryDetail,
      body: bytesOf(content.body),
      createdAt: row.created_at,
      attempts: row.attempts - 1,
      epoch: row.epoch,
    }
  }

  /** `false`: the claim was no longer this one. */
  remove(id: number, epoch: number): boolean {
    return this.#run(REMOVE, [id, epoch]).changes > 0
  }

  /** `false`: the claim was no longer this one. */
  release(id: number, epoch: number, availableAt: number): boolean {
    return this.#run(RELEASE, [availableAt, id, epoch]).changes > 0
  }

  /** Makes the claims of all owners but this one void. Returns how many. */
  recover(now: number, alive: string): number {
    const voided = Number(this.#run(VOID, [now, alive]).changes)
    this.#run(FROM_THE_FUTURE, [now, now])
    return voided
  }

  count(outcome: 'decided' | 'delivered' | 'abandoned'): void {
    this.#run(`update delivery_counts set ${outcome} = ${outcome} + 1`, [])
  }

  #all<Row>(text: string, parameters: readonly unknown[]): Row[] {
    return this.#connection.prepare(text).all(parameters) as Row[]
  }

  #run(text: string, parameters: readonly unknown[]) {
    return this.#connection.prepare(text).run(parameters)
  }
}
