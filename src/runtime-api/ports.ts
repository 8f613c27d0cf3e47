/**
 * Finds ports by binding them. A chunk of contiguous ports is one firewall rule; all of its ports are bound before the rule exists and stay
 * bound for as long as it does, so that the firewall never lets functions reach a port that belongs to somebody else.
 */
import type { Server } from 'node:http'

/** Below and above Linux's range for outgoing connections (32768–60999), where a port could be in use at any moment. */
const RANGES: readonly (readonly [first: number, last: number])[] = [
  [21_000, 32_767],
  [61_000, 65_535],
]

/** Connections that the kernel accepts while the event loop is busy: clients give up after one second. */
const BACKLOG = 4096

/** Errors that say "not this port"; every other one would come again at the next. */
const TAKEN = new Set(['EADDRINUSE', 'EACCES'])

export interface Chunk {
  readonly firstPort: number
  readonly servers: readonly Server[]
}

/** First ports of all possible chunks, in the order they are tried. */
export function* chunkStarts(size: number): Generator<number> {
  for (const [first, last] of RANGES) {
    for (let start = first; start + size - 1 <= last; start += size) yield start
  }
}

/** Binds the next chunk that is free as a whole. Throws when `starts` is exhausted or the address is not one of this machine. */
export async function bindChunk(
  hostAddress: string,
  size: number,
  starts: Iterator<number>,
  createServer: (port: number) => Server,
): Promise<Chunk> {
  for (;;) {
    const start = starts.next()
    if (start.done) {
      throw new Error(`no ${size} contiguous free ports are left on ${hostAddress} for the Runtime API`)
    }
    const firstPort = start.value
    const servers = Array.from({ length: size }, (_, i) => createServer(firstPort + i))
    const results = await Promise.allSettled(servers.map((server, i) => listen(server, hostAddress, firstPort + i)))
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
    if (errors.length === 0) return { firstPort, servers }
    await Promise.all(servers.map(closeServer))
    const fatal = errors.find((error) => !TAKEN.has(codeOf(error)))
    if (fatal !== undefined) {
      throw new Error(`the Runtime API cannot listen on ${hostAddress}: ${codeOf(fatal)}`, { cause: fatal })
    }
  }
}

export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, backlog: BACKLOG, exclusive: true }, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
