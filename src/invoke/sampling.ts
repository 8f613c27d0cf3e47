/**
 * Whether an invocation is traced (reference: invoke.md 10). The caller's decision stands. Without one, a function with
 * TracingConfig.Mode Active samples the first request of each second and 5 % of the others; PassThrough samples none.
 */
import { randomBytes } from 'node:crypto'
import { type FunctionKey, type FunctionVersion, functionId } from '../lambda/function.ts'

/** Share of the requests beyond the first of a second. */
const RATE = 0.05
/** Functions whose last second is remembered; beyond it the memory starts anew, which samples a little more. */
const FUNCTIONS = 20_000

const DECISION = /(?:^|;)\s*sampled=([01])\s*(?:;|$)/i

/** Whether a trace header says `Sampled=1` or `Sampled=0`; `Sampled=?` leaves it to us. */
export function isSamplingDecided(header: string | undefined): boolean {
  return header !== undefined && DECISION.test(header)
}

export function isSampled(header: string): boolean {
  return DECISION.exec(header)?.[1] === '1'
}

export class TraceSampler {
  readonly #random: () => number
  /** By function, the second of its last sampled first request. */
  readonly #seconds = new Map<string, number>()

  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  /** The header with the decision for a request whose caller made none. */
  decide(header: string, version: FunctionVersion, nowMs: number): string {
    if (version.tracingMode !== 'Active') {
      // The first look spares the usual header the second.
      return header.includes('?') && /(?:^|;)\s*sampled=\?/i.test(header) ? withDecision(header, '0') : header
    }
    return withDecision(header, this.#take(version, nowMs) ? '1' : '0')
  }

  #take(key: FunctionKey, nowMs: number): boolean {
    const id = functionId(key)
    const second = Math.floor(nowMs / 1000)
    if (this.#seconds.get(id) === second) return this.#random() < RATE
    if (this.#seconds.size >= FUNCTIONS) this.#seconds.clear()
    this.#seconds.set(id, second)
    return true
  }
}

/** A sampled trace continues under a segment of this invocation: the runtime sees its id as Parent. */
export function withNewParent(header: string, parent = randomBytes(8).toString('hex')): string {
  const replaced = header.replace(/((?:^|;)\s*parent=)[^;]*/i, `$1${parent}`)
  return replaced === header && !/(^|;)\s*parent=/i.test(header)
    ? header.replace(/((?:^|;)\s*root=[^;]*)/i, `$1;Parent=${parent}`)
    : replaced
}

function withDecision(header: string, sampled: '0' | '1'): string {
  const replaced = header.replace(/((?:^|;)\s*sampled=)[^;]*/i, `$1${sampled}`)
  return /(?:^|;)\s*sampled=/i.test(header) ? replaced : `${header};Sampled=${sampled}`
}
