/** Which share of which budget the bytes of a connection count against. Set by the server that accepts it, read by whoever reads its bodies. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Share } from './budget.ts'

const shares = new WeakMap<Socket, Share>()

export function countAgainst(share: Share, socket: Socket): void {
  shares.set(socket, share)
}

export function shareOf(request: IncomingMessage): Share | undefined {
  return shares.get(request.socket)
}
