/**
 * The log of one environment: platform lines and the function's output, in order, on their way to the log store; and the tail of the
 * invocation that asked for it.
 *
 * Nothing here is on an invocation's path. Lines wait up to FLUSH_MS; a REPORT line is written as a thunk, because the memory it names
 * is measured once per flush and not once per invocation.
 */
import { LIMITS } from '../../lambda/limits.ts'
import type { LogStore, LogStreamName } from '../../telemetry/log-store.ts'
import type { Message } from './platform-lines.ts'

/** Milliseconds between two writes to the log store. */
const FLUSH_MS = 100
/** A line longer than this is split, as CloudWatch does at 256 KB. */
const LINE_BYTES = 256 * 1024
/** Bytes of output that may wait for one flush; the rest of that period is dropped and counted. */
const PENDING_BYTES = 8 * 1024 * 1024

interface PendingLine {
  readonly timestamp: number
  readonly message: Message
}

export interface EnvironmentLogOptions {
  readonly store: LogStore
  readonly stream: LogStreamName
  /** Peak memory of the environment, bytes; asked once per flush that needs it. */
  readonly maxMemoryBytes: () => Promise<number>
  /** Whether a line of the function's output is wanted. */
  readonly keeps: (line: string) => boolean
  /** What the log says of output that was too much at once. */
  readonly dropped: (bytes: number) => readonly string[]
}

export class EnvironmentLog {
  readonly #options: EnvironmentLogOptions
  readonly #decoder = new TextDecoder()
  #pending: PendingLine[] = []
  #pendingBytes = 0
  #partial = ''
  #droppedBytes = 0
  #timer: NodeJS.Timeout | undefined
  #flushing: Promise<void> = Promise.resolve()
  /** The last lines since `beginTail`, no more of them than the tail can hold. */
  #tail: PendingLine[] | undefined
  #tailLength = 0

  constructor(options: EnvironmentLogOptions) {
    this.#options = options
  }

  /** Lines of the platform. */
  write(messages: readonly Message[]): void {
    const timestamp = Date.now()
    for (const message of messages) this.#add({ timestamp, message })
  }

  /** Bytes of the function's stdout and stderr. */
  output(chunk: Uint8Array): void {
    if (this.#pendingBytes + chunk.length > PENDING_BYTES) {
      this.#droppedBytes += chunk.length
      this.#schedule()
      return
    }
    this.#pendingBytes += chunk.length
    const text = this.#partial + this.#decoder.decode(chunk, { stream: true })
    let start = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      this.#line(text.slice(start, end))
      start = end + 1
    }
    this.#partial = text.slice(start)
    while (this.#partial.length > LINE_BYTES) {
      this.#line(this.#partial.slice(0, LINE_BYTES))
      this.#partial = this.#partial.slice(LINE_BYTES)
    }
  }

  /** From here on lines are kept for `endTail`. */
  beginTail(): void {
    this.#tail = []
    this.#tailLength = 0
  }

  /** The last 4 KB of what was logged since `beginTail`. Cuts from the front, bytes and not lines. */
  endTail(maxMemoryBytes: number): Uint8Array {
    const lines = this.#tail ?? []
    this.#tail = undefined
    const text = lines.map(({ message }) => `${typeof message === 'string' ? message : message(maxMemoryBytes)}\n`)
    const all = Buffer.from(text.join(''))
    return all.subarray(Math.max(0, all.length - LIMITS.logTailBytes))
  }

  /** Writes what is pending, an unfinished line too: no more output will come. */
  async close(): Promise<void> {
    this.endPartialLine()
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#flushing = this.#flushing.then(() => this.#flush())
    await this.#flushing
  }

  /** A runtime that died leaves its last words without a newline. */
  endPartialLine(): void {
    if (this.#partial === '') return
    this.#line(this.#partial)
    this.#partial = ''
  }

  #line(raw: string): void {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    if (!this.#options.keeps(line)) return
    this.#add({ timestamp: Date.now(), message: withNewlines(line) })
  }

  #add(line: PendingLine): void {
    this.#pending.push(line)
    if (this.#tail !== undefined) this.#keep(this.#tail, line)
    this.#schedule()
  }

  #keep(tail: PendingLine[], line: PendingLine): void {
    tail.push(line)
    this.#tailLength += lengthOf(line)
    for (let first = tail[0]!; this.#tailLength - lengthOf(first) >= LIMITS.logTailBytes; first = tail[0]!) {
      tail.shift()
      this.#tailLength -= lengthOf(first)
    }
  }

  #schedule(): void {
    if (this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#flushing = this.#flushing.then(() => this.#flush())
    }, FLUSH_MS)
    this.#timer.unref()
  }

  async #flush(): Promise<void> {
    const lines = this.#pending
    this.#pending = []
    this.#pendingBytes = 0
    if (this.#droppedBytes > 0) {
      const timestamp = Date.now()
      lines.push(...this.#options.dropped(this.#droppedBytes).map((message) => ({ timestamp, message })))
      this.#droppedBytes = 0
    }
    if (lines.length === 0) return
    const measured = lines.some(({ message }) => typeof message !== 'string') ? await this.#options.maxMemoryBytes() : 0
    this.#options.store.append(
      this.#options.stream,
      lines.map(({ timestamp, message }) => ({
        timestamp,
        message: typeof message === 'string' ? message : message(measured),
      })),
    )
  }
}

/** What a runtime client writes as one record: Node.js a line of its console, Python an error with its trace. */
const RECORD = /^(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\t[^\t]*\t[A-Z]+\t|\[ERROR\] )/

/**
 * Runtime clients write the newlines of a record as `\r`, so that it stays one line (reference: runtime-clients 2.7). Everywhere else `\r` is
 * the function's own and stays, as on AWS (reference: cloudwatch-logs). Where each of a record's comes twice, its text had CRLF.
 */
function withNewlines(line: string): string {
  if (!line.includes('\r') || !RECORD.test(line)) return line
  const single = line.replaceAll('\r\r', '')
  return single.includes('\r') ? line.replaceAll('\r', '\n') : line.replaceAll('\r\r', '\n')
}

/** Characters, of which each is at least a byte, with the newline; a line that is not made yet counts for little. */
function lengthOf({ message }: PendingLine): number {
  return 1 + (typeof message === 'string' ? message.length : 0)
}
