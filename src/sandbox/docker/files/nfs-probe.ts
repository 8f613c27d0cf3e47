/** Asks an NFS server whether it is there: the NULL call of its protocol (RFC 5531), which every version answers. */
import { connect } from 'node:net'

export interface NfsProblem {
  /** `timeout`: there is a connection, but no answer on it. */
  readonly kind: 'unreachable' | 'timeout'
  /** errno, or `ENOREPLY` */
  readonly code: string
}

const NFS_PROGRAM = 100_003
const NFS_VERSION = 4
const LAST_FRAGMENT = 0x8000_0000

/** `undefined`: it answers. Never rejects. */
export function probeNfs(host: string, port: number, limitMs: number): Promise<NfsProblem | undefined> {
  return new Promise((resolve) => {
    let connected = false
    const socket = connect({ host, port })
    const end = (problem: NfsProblem | undefined) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(problem)
    }
    // A network that swallows packets never gives a connection: only a server that has one can be late with the mount.
    const timer = setTimeout(
      () => end(connected ? { kind: 'timeout', code: 'ENOREPLY' } : { kind: 'unreachable', code: 'ETIMEDOUT' }),
      limitMs,
    )
    socket.once('connect', () => {
      connected = true
      socket.write(nullCall())
    })
    let received = 0
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length
      // Record mark, transaction id and message type: whatever it says, it speaks the protocol.
      if (received >= 12) end(undefined)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => end({ kind: 'unreachable', code: error.code ?? 'Unknown' }))
    socket.once('close', () => end({ kind: 'unreachable', code: 'ECONNRESET' }))
  })
}

function nullCall(): Buffer {
  // Transaction id, CALL, RPC version 2, program, version, procedure 0, no credentials, no verifier.
  const words = [0x6865_6172, 0, 2, NFS_PROGRAM, NFS_VERSION, 0, 0, 0, 0, 0]
  const call = Buffer.alloc(4 + words.length * 4)
  call.writeUInt32BE((LAST_FRAGMENT + words.length * 4) >>> 0)
  for (const [i, word] of words.entries()) call.writeUInt32BE(word, 4 + i * 4)
  return call
}
