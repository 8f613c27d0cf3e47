/** Reads request bodies of every server of the host: bounded in size, in time and, together, in memory. */
import type { IncomingMessage } from 'node:http'
import type { CutReason, Share, Transfer } from './budget.ts'
import { Chunks } from './chunks.ts'

/**
 * `too-large`: more than the limit; `truncated`: shorter than announced, or the connection broke within it; `too-slow`: its client took too
 * long; `no-room`: the host held too many bodies for too long.
 */
export type BodyProblem = 'too-large' | 'truncated' | 'too-slow' | 'no-room'
export type Body = Uint8Array | BodyProblem

export interface BodyRules {
  /** Bytes. */
  readonly limit: number
  /** Bytes beyond the limit that are read and thrown away, because clients report a broken connection instead of the answer otherwise. */
  readonly discard: number
  /** What counts the bytes; `undefined`: nobody does. */
  readonly share: Share | undefined
  /** Whoever reads it bounds it in time. */
  readonly pace?: { readonly leastRate: number; readonly totalMs: number } | undefined
  /** Takes each piece in the place of keeping it: the body comes out empty. A promise: nothing more is read before it resolves. */
  readonly take?: ((chunk: Buffer) => Promise<void> | undefined) | undefined
  /** What was taken is not kept in memory and does not count, only the number of pieces does. Nobody else may make the client wait. */
  readonly passesOn?: boolean | undefined
}

export type BodyDone = (body: Body, release: () => void) => void

/**
 * Calls `done` once, when the body has ended or cannot end any more; `exceeded` before it, as soon as the limit is known to be passed, because
 * the request is decided then while the rest of the body is still under way. The body is counted until `release` is called.
 */
export function readBody(
  request: IncomingMessage,
  rules: BodyRules,
  done: BodyDone,
  exceeded: (bytes: number) => void = nothing,
): void {
  const reading = new Reading(request, rules, done, exceeded)
  request.on('data', (chunk: Buffer) => reading.add(chunk))
  request.on('end', () => reading.end())
  request.on('close', () => reading.close())
}

/** A class and not closures: every invoke makes one. */
class Reading {
  readonly #request: IncomingMessage
  readonly #rules: BodyRules
  readonly #done: BodyDone
  readonly #exceeded: (bytes: number) => void
  /** Bytes that its client promised. */
  readonly #announced: number
  /** `undefined`: it is too large, or over. */
  #chunks: Chunks | undefined = new Chunks()
  #size = 0
  #settled = false
  #transfer: Transfer | undefined

  constructor(request: IncomingMessage, rules: BodyRules, done: BodyDone, exceeded: (bytes: number) => void) {
    this.#request = request
    this.#rules = rules
    this.#done = done
    this.#exceeded = exceeded
    this.#announced = Number(request.headers['content-length'] ?? Number.NaN)
    if (this.#announced > rules.limit) this.#pass(this.#announced)
  }

  add(chunk: Buffer): void {
    const { limit, discard, share } = this.#rules
    this.#size += chunk.length
    if (share?.pieces?.take(chunk.length) === false) {
      this.#request.socket.destroy()
    } else if (this.#settled) {
      if (this.#size > limit + discard) this.#request.socket.destroy()
    } else if (this.#chunks === undefined) {
      if (this.#size > limit + discard) this.#finish('too-large')
    } else if (this.#size > limit) {
      this.#pass(this.#size)
    } else {
      this.#keep(this.#chunks, chunk)
    }
  }

  end(): void {
    if (!this.#settled) this.#finish(this.#chunks === undefined ? 'too-large' : this.#chunks.whole())
  }

  close(): void {
    if (!this.#settled) this.#finish('truncated')
  }

  #keep(chunks: Chunks, chunk: Buffer): void {
    const { take } = this.#rules
    if (take === undefined) chunks.add(chunk)
    else this.#waitFor(take(chunk))
    // A body that is whole with its first piece, the usual case, holds nothing that its client could prolong.
    if (chunk.length === this.#announced || this.#rules.passesOn) return
    this.#transfer ??= this.#open()
    if (this.#transfer?.take(chunk.length) === false) this.#request.pause()
  }

  #waitFor(taken: Promise<void> | undefined): void {
    if (taken === undefined) return
    this.#request.pause()
    void taken.then(() => this.#request.resume())
  }

  #finish(body: Body): void {
    const transfer = this.#transfer
    this.#settled = true
    this.#chunks = undefined
    if (typeof body === 'string') transfer?.close()
    else transfer?.complete()
    this.#done(body, transfer === undefined ? nothing : () => transfer.close())
  }

  #pass(bytes: number): void {
    this.#chunks = undefined
    this.#transfer?.close()
    this.#transfer = undefined
    this.#exceeded(bytes)
  }

  #open(): Transfer | undefined {
    const { limit, pace, share } = this.#rules
    return share?.open({
      size: Math.min(this.#announced || limit, limit),
      resume: () => this.#request.resume(),
      cut: (reason) => this.#cut(reason),
      ...pace,
    })
  }

  #cut(reason: CutReason): void {
    if (!this.#settled) this.#finish(reason === 'full' ? 'no-room' : 'too-slow')
    // What still comes is thrown away, so that the client sees its refusal.
    this.#request.resume()
  }
}

function nothing(): void {}
