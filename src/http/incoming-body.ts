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
  readonly pace?: { readonly leastRate: number; readonly totalMs: number }
  /**
   * Takes each piece in the place of keeping it: the body comes out empty. A promise: nothing more is read before it resolves. Whoever makes
   * the client wait keeps nothing, and has no `share`.
   */
  readonly take?: (chunk: Buffer) => Promise<void> | undefined
}

/**
 * Calls `done` once, when the body has ended or cannot end any more; `exceeded` before it, as soon as the limit is known to be passed, because
 * the request is decided then while the rest of the body is still under way. The body is counted until `release` is called.
 */
export function readBody(
  request: IncomingMessage,
  { limit, discard, share, pace, take }: BodyRules,
  done: (body: Body, release: () => void) => void,
  exceeded: (bytes: number) => void = nothing,
): void {
  let chunks: Chunks | undefined = new Chunks()
  let size = 0
  let settled = false
  let transfer: Transfer | undefined
  const announced = Number(request.headers['content-length'] ?? Number.NaN)

  const finish = (body: Body) => {
    if (settled) return
    settled = true
    chunks = undefined
    if (typeof body === 'string') transfer?.close()
    else transfer?.complete()
    done(body, transfer === undefined ? nothing : () => transfer?.close())
  }
  const pass = () => {
    chunks = undefined
    transfer?.close()
    transfer = undefined
    exceeded(Math.max(size, announced || 0))
  }
  const cut = (reason: CutReason) => {
    finish(reason === 'full' ? 'no-room' : 'too-slow')
    // What still comes is thrown away, so that the client sees its refusal.
    request.resume()
  }
  const count = (bytes: number) => {
    transfer ??= share?.open({
      cut,
      resume: () => request.resume(),
      size: Math.min(announced || limit, limit),
      ...pace,
    })
    if (transfer?.take(bytes) === false) request.pause()
  }

  const waitFor = (taken: Promise<void> | undefined) => {
    if (taken === undefined) return
    request.pause()
    void taken.then(() => request.resume())
  }

  if (announced > limit) pass()
  request.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (share?.pieces?.take(chunk.length) === false) {
      request.socket.destroy()
    } else if (settled) {
      if (size > limit + discard) request.socket.destroy()
    } else if (chunks === undefined) {
      if (size > limit + discard) finish('too-large')
    } else if (size > limit) {
      pass()
    } else {
      if (take === undefined) chunks.add(chunk)
      else waitFor(take(chunk))
      // A body that is whole with its first piece, the usual case, holds nothing that its client could prolong.
      if (chunk.length !== announced) count(chunk.length)
    }
  })
  request.on('end', () => finish(chunks === undefined ? 'too-large' : chunks.whole()))
  request.on('close', () => finish('truncated'))
}

function nothing(): void {}
