/** A port of this machine, also one bound to loopback, for sandboxes: listens on a bridge's gateway address and passes bytes on. */
import { createServer, connect as dial, type Server, type Socket } from 'node:net'

export interface Relay {
  close(): void
}

/**
 * Only peers that `accepts` may connect. Resolves with `undefined` when something on this machine listens on that port of the gateway
 * address already, e.g. on 0.0.0.0: sandboxes then reach it directly.
 */
export function openRelay(
  gateway: string,
  port: number,
  accepts: (address: string) => boolean,
): Promise<Relay | undefined> {
  const open = new Set<Socket>()
  const server: Server = createServer({ pauseOnConnect: true, noDelay: true, allowHalfOpen: true }, (socket) => {
    if (!accepts(socket.remoteAddress ?? '')) return socket.destroy()
    const target = dial({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true })
    for (const [one, other] of [
      [socket, target],
      [target, socket],
    ] as const) {
      open.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        open.delete(one)
        other.destroySoon()
      })
      one.pipe(other)
    }
    socket.resume()
  })
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(error)
    })
    server.listen({ host: gateway, port }, () => {
      server.unref()
      resolve({
        close() {
          server.close()
          for (const socket of open) socket.destroy()
        },
      })
    })
  })
}
