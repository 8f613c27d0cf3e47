/**
 * Which share of which budget the bytes of a connection count against, and who counts its answers. Set by the server that accepts it, read by
 * whoever reads its bodies or answers.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Share } from './budget.ts'

/** Smaller answers are found by the timer that looks at all of them. */
const LARGE_BYTES = 256 * 1024

interface Counted {
  readonly share: Share
  /** Counts what the client has not read yet. */
  readonly look: (() => void) | undefined
}

const counted = new WeakMap<Socket, Counted>()

export function countAgainst(share: Share, socket: Socket, look?: () => void): void {
  counted.set(socket, { share, look })
}

export function shareOf(request: IncomingMessage): Share | undefined {
  return counted.get(request.socket)?.share
}

/** An answer was written: a large one counts now, or many would be made before the timer sees the first. */
export function answerWritten(response: ServerResponse, bytes: number): void {
  if (bytes >= LARGE_BYTES) counted.get(response.req.socket)?.look?.()
}
