/** Reads request bodies of the sandboxes, bounded. */
import type { IncomingMessage } from 'node:http'
import { shareOf } from '../http/counted.ts'
import { type Body as AnyBody, type BodyRules, readBody as read } from '../http/incoming-body.ts'

/** Bytes beyond the limit that are read and thrown away so that a client which only reads after writing sees its refusal. */
const DISCARD_BYTES = 64 * 1024 * 1024

/** The answer to an event may take as long as the event may: its deadline ends the connection, not a least rate. */
export const UNTIL_THE_DEADLINE = { leastRate: 0, totalMs: Number.POSITIVE_INFINITY }

/** `too-large`: more than the limit; `truncated`: shorter than announced, or the connection broke or was ended within it. */
export type Body = Uint8Array | 'too-large' | 'truncated'

export interface ReadOptions {
  readonly exceeded?: () => void
  readonly pace?: BodyRules['pace']
  /** Takes each piece, so that `done` gets an empty body. A promise: nothing more is read before it resolves. */
  readonly take?: BodyRules['take']
  /** What was taken is not kept in memory, and does not count. */
  readonly passesOn?: boolean
}

/** As `readBody` of every server; a body that was given up for its slowness is one whose connection broke. */
export function readBody(
  request: IncomingMessage,
  limit: number,
  done: (body: Body) => void,
  { exceeded, passesOn, ...given }: ReadOptions = {},
): void {
  const rules = { limit, discard: DISCARD_BYTES, share: passesOn ? undefined : shareOf(request), ...given }
  const ended = (body: AnyBody, release: () => void) => {
    release()
    const givenUp = body === 'too-slow' || body === 'no-room'
    if (givenUp) request.socket.destroy()
    done(givenUp ? 'truncated' : body)
  }
  read(request, rules, ended, exceeded)
}

/** Reads a body that nobody wants, so that the connection can be used again, up to a bound. */
export function discardBody(request: IncomingMessage): void {
  readBody(request, 0, (body) => {
    if (body === 'too-large' && !request.complete) request.socket.destroy()
  })
}
