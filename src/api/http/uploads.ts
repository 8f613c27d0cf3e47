/** Large request bodies: how many are in memory at once, and how long one may keep the others waiting. */
import type { IncomingMessage } from 'node:http'
import type { Context } from 'hono'
import { bodyBytes, readJson } from './body.ts'
import { BodyRoom } from './body-room.ts'

const MIB = 1024 * 1024

/** Requests up to this size are not counted. */
const SMALL_BYTES = 1 * MIB

export interface UploadOptions {
  /** Bytes of large bodies in memory at once. What is made of one meanwhile takes several times as much. */
  readonly roomBytes?: number
  /** Milliseconds without a byte after which a large body is given up: it holds room that others wait for. */
  readonly idleMs?: number
}

export class Uploads {
  readonly #room: BodyRoom
  readonly #idleMs: number

  constructor({ roomBytes = 160 * MIB, idleMs = 30_000 }: UploadOptions = {}) {
    this.#room = new BodyRoom(roomBytes)
    this.#idleMs = idleMs
  }

  /** Reads the body as JSON and does what is to be done with it, a large one only while there is room for it. */
  async run<T>(c: Context, operation: string, work: (json: unknown) => Promise<T>): Promise<T> {
    const bytes = bodyBytes(c, operation)
    if (bytes <= SMALL_BYTES) return work(await readJson(c, operation))
    const leave = await this.#room.acquire(bytes)
    try {
      return await work(await this.#whileSent(c, () => readJson(c, operation)))
    } finally {
      leave()
    }
  }

  /** Ends the connection when nothing comes for a while. */
  async #whileSent<T>(c: Context, read: () => Promise<T>): Promise<T> {
    const socket = (c.env as { incoming?: IncomingMessage } | undefined)?.incoming?.socket
    const end = () => socket?.destroy()
    socket?.setTimeout(this.#idleMs)
    socket?.once('timeout', end)
    try {
      return await read()
    } finally {
      socket?.off('timeout', end)
      socket?.setTimeout(0)
    }
  }
}
