/** One stream of the engine's events for all sandboxes of this host: which containers died, and which met the out-of-memory killer. */
import type { Readable } from 'node:stream'
import type Dockerode from 'dockerode'
import { Lines } from '../supervisor.ts'
import { bounded } from './errors.ts'
import { type Identity, LABELS } from './labels.ts'

const CONNECT_LIMIT_MS = 10_000
const AGAIN_MS = 1000

export interface ContainerEvent {
  readonly id: string
  readonly kind: 'die' | 'oom'
  /** Of the container's first process; only for `die`. */
  readonly exitCode?: number
}

/** `undefined` for a line that is none of the two events. */
export function parseEvent(line: string): ContainerEvent | undefined {
  try {
    const event = JSON.parse(line) as { Action?: string; Actor?: { ID?: string; Attributes?: { exitCode?: string } } }
    const id = event.Actor?.ID
    if (id === undefined) return undefined
    if (event.Action === 'oom') return { id, kind: 'oom' }
    if (event.Action !== 'die') return undefined
    const exitCode = Number(event.Actor?.Attributes?.exitCode)
    return Number.isInteger(exitCode) ? { id, kind: 'die', exitCode } : { id, kind: 'die' }
  } catch {
    return undefined
  }
}

export class EngineEvents {
  readonly #docker: Dockerode
  readonly #identity: Identity
  readonly #listener: (event: ContainerEvent) => void
  readonly #log: (message: string, fields?: object) => void
  #stream: Readable | undefined
  #again: NodeJS.Timeout | undefined
  #closed = false

  constructor(
    docker: Dockerode,
    identity: Identity,
    listener: (event: ContainerEvent) => void,
    log: (message: string, fields?: object) => void,
  ) {
    this.#docker = docker
    this.#identity = identity
    this.#listener = listener
    this.#log = log
  }

  async open(): Promise<void> {
    const filters = JSON.stringify({
      type: ['container'],
      event: ['die', 'oom'],
      label: [`${LABELS.instance}=${this.#identity.instance}`],
    })
    const stream = (await bounded(CONNECT_LIMIT_MS, "follow the engine's events", (abortSignal) =>
      this.#docker.getEvents({ filters, abortSignal }),
    )) as Readable
    if (this.#closed) {
      stream.destroy()
      return
    }
    this.#stream = stream
    const lines = new Lines((line) => {
      const event = parseEvent(line)
      if (event) this.#listener(event)
    })
    stream.on('data', (chunk: Buffer) => lines.write(chunk))
    stream.on('error', () => undefined)
    stream.once('close', () => {
      if (!this.#closed) this.#log("The engine's event stream ended; the host connects again")
      this.#reconnect()
    })
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#again)
    this.#stream?.destroy()
  }

  /** Nothing is missed that matters: a container that ends also ends its own stream. */
  #reconnect(): void {
    if (this.#closed) return
    this.#again = setTimeout(() => this.open().catch(() => this.#reconnect()), AGAIN_MS)
    this.#again.unref()
  }
}
