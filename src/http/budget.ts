/**
 * Bytes in flight: what clients have sent of bodies that are not whole yet, and what they have not read of their answers. Both cost the
 * host memory for as long as the client likes, so they share one budget. docs/adr/0021 says why it cuts whom it cuts.
 */

import type { Pieces } from './pieces.ts'

/** How often transfers are looked at, milliseconds. */
const CHECK_MS = 250
/** A pace is measured over at least so long, milliseconds: TCP comes in bursts. */
const WINDOW_MS = 500

export interface BudgetRules {
  /** Of all transfers together. */
  readonly bytes: number
  /**
   * Beyond `bytes`, lent to whoever finds no room and only for all that is still to come of its body: so somebody always comes to an end.
   * One larger body has it alone.
   */
  readonly lent: number
  /** Bytes per second, on the average of the whole transfer once `graceMs` are over. */
  readonly leastRate?: number
  readonly graceMs?: number
  /** Milliseconds for one transfer. */
  readonly totalMs?: number
  /** Bytes per second that a transfer needs while others wait for room. */
  readonly crowdedRate?: number
  /** Milliseconds for which a body waits for room. */
  readonly waitMs?: number
  /** Milliseconds; only differences matter. */
  readonly clock?: () => number
}

/** `slow`: below its least rate; `late`: beyond its total time; `crowded`: others need its room; `full`: no room came free. */
export type CutReason = 'slow' | 'late' | 'crowded' | 'full'

export interface TransferOptions {
  /** The transfer must end: its owner gives up what it holds and calls `close`. Called once. */
  readonly cut: (reason: CutReason) => void
  /** There is room for the bytes that `take` put off. */
  readonly resume?: () => void
  /** Bytes that it can have at most. */
  readonly size: number
  /** Others than those of the budget. */
  readonly leastRate?: number
  readonly totalMs?: number
  /** Milliseconds over which its pace of late is measured. */
  readonly windowMs?: number
}

export class Budget {
  readonly rules: Required<BudgetRules>
  /** Oldest first. */
  readonly #transfers = new Set<Transfer>()
  readonly #waiting = new Set<Transfer>()
  readonly meter: Meter
  #timer: NodeJS.Timeout | undefined

  constructor(rules: BudgetRules) {
    this.rules = {
      leastRate: 16 * 1024,
      graceMs: 20_000,
      totalMs: 600_000,
      crowdedRate: 256 * 1024,
      waitMs: 30_000,
      clock: () => performance.now(),
      ...rules,
    }
    this.meter = new Meter(rules.bytes, rules.lent)
  }

  /** Bytes that all transfers hold now. */
  get bytes(): number {
    return this.meter.held
  }

  /**
   * @param bytes that the transfers of one peer may hold together, and as much as `lent` beyond them
   * @param pieces that its bodies may come in; any number unless given
   */
  share(bytes = Number.POSITIVE_INFINITY, lent = bytes, pieces?: Pieces): Share {
    return new Share(this, new Meter(bytes, lent), pieces)
  }

  /** Looks at every transfer. Called by a timer while there are any. */
  check(): void {
    const now = this.rules.clock()
    for (const transfer of this.#transfers) {
      const reason = transfer.judge(now, this.#waiting.has(transfer))
      if (reason !== undefined) transfer.cut(reason)
    }
    if (this.#isCrowded()) this.#makeRoom()
    this.#admit()
  }

  /** For Transfer. */
  begin(transfer: Transfer): void {
    this.#transfers.add(transfer)
    this.#timer ??= setInterval(() => this.check(), CHECK_MS).unref()
  }

  /** For Transfer. */
  wait(transfer: Transfer): void {
    this.#waiting.add(transfer)
  }

  /** For Transfer: something was given back. */
  freed(transfer: Transfer, ended: boolean): void {
    if (ended) {
      this.#transfers.delete(transfer)
      this.#waiting.delete(transfer)
    }
    if (this.#transfers.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
    this.#admit()
  }

  #isCrowded(): boolean {
    return this.#waiting.size > 0 || this.meter.overdrawn
  }

  /** Cuts transfers that hold room without moving on: those of whoever holds most first, of these the slowest first. */
  #makeRoom(): void {
    const idle = [...this.#transfers]
      .filter((transfer) => !this.#waiting.has(transfer) && transfer.recentRate < this.rules.crowdedRate)
      .sort((one, other) => other.share.bytes - one.share.bytes || one.recentRate - other.recentRate)
    for (const transfer of idle) {
      if (!this.#isCrowded()) return
      // Who waits because its own share is full has nothing from what others give up.
      const helps = [...this.#waiting].some((one) => one.share === transfer.share || !this.meter.fits(one.asked))
      if (helps || this.meter.overdrawn) transfer.cut('crowded')
    }
  }

  /** Who needs least to come to its end is first: it frees what it holds soonest, or shows soonest that it does not move. */
  #admit(): void {
    if (this.#waiting.size === 0) return
    for (const transfer of [...this.#waiting].sort((one, other) => one.rest - other.rest)) {
      if (!this.#waiting.has(transfer) || !transfer.admitted()) continue
      this.#waiting.delete(transfer)
      transfer.go()
    }
  }
}

/** What is held of something bounded. */
class Meter {
  readonly limit: number
  readonly #toLend: number
  /** Everything. */
  held = 0
  /** What counts against the limit. */
  counted = 0
  /** What was promised to transfers that found no room. */
  lent = 0

  constructor(limit: number, toLend: number) {
    this.limit = limit
    this.#toLend = toLend
  }

  get overdrawn(): boolean {
    return this.counted > this.limit
  }

  fits(bytes: number): boolean {
    return this.counted + bytes <= this.limit
  }

  lends(bytes: number): boolean {
    return this.lent === 0 || this.lent + bytes <= this.#toLend
  }
}

/** What one peer holds of the budget: an address, a sandbox. */
export class Share {
  readonly budget: Budget
  readonly meter: Meter
  readonly pieces: Pieces | undefined

  constructor(budget: Budget, meter: Meter, pieces?: Pieces) {
    this.budget = budget
    this.meter = meter
    this.pieces = pieces
  }

  get bytes(): number {
    return this.meter.held
  }

  open(options: TransferOptions): Transfer {
    return new Transfer(this, options)
  }
}

/** One body while it arrives, or one answer while it is read. */
export class Transfer {
  readonly share: Share
  readonly #options: TransferOptions
  readonly #began: number
  #counted = 0
  /** What was lent to it, and how much of that it has used. */
  #lent = 0
  #used = 0
  /** Bytes that have come but have no room yet. */
  #asked = 0
  /** Bytes that went over the line. */
  #moved = 0
  #waitingSince: number | undefined
  #waitedMs = 0
  #windowBegan: number
  #windowMoved = 0
  #recentRate = Number.POSITIVE_INFINITY
  #complete = false
  #cut = false
  #closed = false

  constructor(share: Share, options: TransferOptions) {
    this.share = share
    this.#options = options
    this.#began = share.budget.rules.clock()
    this.#windowBegan = this.#began
    share.budget.begin(this)
  }

  get bytes(): number {
    return this.#counted + this.#used
  }

  /** Bytes that are still to come at most, those that have no room included. */
  get rest(): number {
    return this.#options.size - this.bytes
  }

  get asked(): number {
    return this.#asked
  }

  /** Bytes per second of late; infinite where it cannot be blamed on the client. */
  get recentRate(): number {
    return this.#complete || this.#cut ? Number.POSITIVE_INFINITY : this.#recentRate
  }

  /** Counts bytes that have come. `false`: there is no room; `resume` is called when there is, and nothing is to be read before. */
  take(bytes: number): boolean {
    if (this.#closed) return true
    this.#moved += bytes
    this.#asked += bytes
    if (this.admitted()) return true
    this.#waitingSince ??= this.share.budget.rules.clock()
    this.share.budget.wait(this)
    return false
  }

  /** Sets what is held, for bytes that are there already and cannot wait. @param moved bytes that went over the line so far */
  holds(bytes: number, moved: number): void {
    if (this.#closed) return
    const less = bytes < this.#counted
    this.#moved = moved
    this.#count(bytes - this.#counted)
    if (less) this.share.budget.freed(this, false)
  }

  /** The client has done its part: what is held from now on is the host's own affair. */
  complete(): void {
    this.#complete = true
  }

  /** Gives everything back. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#count(-this.#counted)
    this.#borrow(-this.#lent)
    this.#use(-this.#used)
    this.share.budget.freed(this, true)
  }

  /** For Budget. */
  admitted(): boolean {
    const meters = this.#meters()
    if (this.#lent > 0 || !meters.every((meter) => meter.fits(this.#asked))) {
      if (this.#lent === 0) {
        // In both or in none: who has one half would wait for who has the other.
        if (!meters.every((meter) => meter.lends(this.rest))) return false
        this.#borrow(this.rest)
      }
      this.#use(this.#asked)
    } else {
      this.#count(this.#asked)
    }
    this.#asked = 0
    return true
  }

  /** For Budget. */
  go(): void {
    const now = this.share.budget.rules.clock()
    this.#waitedMs += now - (this.#waitingSince ?? now)
    this.#waitingSince = undefined
    this.#restart(now)
    this.#options.resume?.()
  }

  /** For Budget. */
  cut(reason: CutReason): void {
    if (this.#cut || this.#closed) return
    this.#cut = true
    this.#options.cut(reason)
    this.close()
  }

  /** For Budget: why it must end, if it must. */
  judge(now: number, waiting: boolean): CutReason | undefined {
    if (this.#complete || this.#cut) return undefined
    const { rules } = this.share.budget
    if (now - this.#began > (this.#options.totalMs ?? rules.totalMs)) return 'late'
    if (waiting) return now - (this.#waitingSince ?? now) > rules.waitMs ? 'full' : undefined
    const window = now - this.#windowBegan
    if (window >= (this.#options.windowMs ?? WINDOW_MS)) {
      this.#recentRate = ((this.#moved - this.#windowMoved) * 1000) / window
      this.#windowBegan = now
      this.#windowMoved = this.#moved
    }
    const active = now - this.#began - this.#waitedMs
    if (active <= rules.graceMs) return undefined
    return (this.#moved * 1000) / active < (this.#options.leastRate ?? rules.leastRate) ? 'slow' : undefined
  }

  #restart(now: number): void {
    this.#windowBegan = now
    this.#windowMoved = this.#moved
    this.#recentRate = Number.POSITIVE_INFINITY
  }

  #meters(): readonly Meter[] {
    return [this.share.meter, this.share.budget.meter]
  }

  #count(bytes: number): void {
    this.#counted += bytes
    for (const meter of this.#meters()) {
      meter.counted += bytes
      meter.held += bytes
    }
  }

  #borrow(bytes: number): void {
    this.#lent += bytes
    for (const meter of this.#meters()) meter.lent += bytes
  }

  #use(bytes: number): void {
    this.#used += bytes
    for (const meter of this.#meters()) meter.held += bytes
  }
}
