/** Reads request bodies of the sandboxes, bounded. */
import type { IncomingMessage } from 'node:http'
import { shareOf } from '../http/counted.ts'
import { type BodyRules, readBody as read } from '../http/incoming-body.ts'

/** Bytes beyond the limit that are read and thrown away so that a client which only reads after writing sees its refusal. */
const DISCARD_BYTES = 64 * 1024 * 1024

/** The answer to an event may take as long as the event may: its deadline ends the connection, not a least rate. */
export const UNTIL_THE_DEADLINE = { leastRate: 0, totalMs: Number.POSITIVE_INFINITY }

/** `too-large`: more than the limit; `truncated`: shorter than announced, or the connection broke or was ended within it. */
export type Body = Uint8Array | 'too-large' | 'truncated'

export interface ReadOptions extends Pick<BodyRules, 'pace' | 'take' | 'passesOn'> {
  readonly exceeded?: () => void
}

/** As `readBody` of every server; a body that was given up for its slowness is one whose connection broke. */
export function readBody(
  request: IncomingMessage,
  limit: number,
  done: (body: Body) => void,
  { exceeded, pace, take, passesOn }: ReadOptions = {},
): void {
  read(
    request,
    { limit, discard: DISCARD_BYTES, share: shareOf(request), pace, take, passesOn },
    (body, release) => {
      release()
      const givenUp = body === 'too-slow' || body === 'no-room'
      if (givenUp) request.socket.destroy()
      done(givenUp ? 'truncated' : body)
    },
    exceeded,
  )
}

/** Reads a body that nobody wants, so that the connection can be used again, up to a bound. */
export function discardBody(request: IncomingMessage): void {
  readBody(request, 0, (body) => {
    if (body === 'too-large' && !request.complete) request.socket.destroy()
  })
}
