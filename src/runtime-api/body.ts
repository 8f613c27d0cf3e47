/** Reads request bodies, bounded. */
import type { IncomingMessage } from 'node:http'
import { Chunks } from '../lambda/chunks.ts'

/** Bytes beyond the limit that are read and thrown away so that a client which only reads after writing sees its refusal. */
const DISCARD_BYTES = 64 * 1024 * 1024

/** `too-large`: more than the limit; `truncated`: shorter than announced, or the connection broke within it. */
export type Body = Uint8Array | 'too-large' | 'truncated'

/**
 * Calls `done` once, when the body has ended or cannot end any more; `exceeded` before it, as soon as the limit is known to be passed,
 * because the invocation is decided then while the rest of the body is still under way.
 */
export function readBody(
  request: IncomingMessage,
  limit: number,
  done: (body: Body) => void,
  exceeded: () => void = ignore,
): void {
  let chunks: Chunks | undefined = new Chunks()
  let size = 0
  let settled = false

  const finish = (body: Body) => {
    if (settled) return
    settled = true
    chunks = undefined
    done(body)
  }
  const pass = () => {
    chunks = undefined
    exceeded()
  }

  if (Number(request.headers['content-length'] ?? 0) > limit) pass()
  request.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (chunks === undefined) {
      if (size > limit + DISCARD_BYTES) finish('too-large')
    } else if (size > limit) {
      pass()
    } else {
      chunks.add(chunk)
    }
  })
  request.on('end', () => finish(chunks === undefined ? 'too-large' : chunks.whole()))
  request.on('close', () => finish('truncated'))
}

/** Reads a body that nobody wants, so that the connection can be used again, up to a bound. */
export function discardBody(request: IncomingMessage): void {
  readBody(request, 0, (body) => {
    if (body === 'too-large' && !request.complete) request.socket.destroy()
  })
}

function ignore(): void {}
