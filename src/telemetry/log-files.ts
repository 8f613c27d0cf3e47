/**
 * Function logs in files: `<directory>/<account>/<region>/<group>/<stream>.jsonl`, names encoded by `log-names.ts`.
 *
 * `append` only puts events into memory, and a timer writes what has gathered every tenth of a second, so that no invocation waits for the disk. What
 * does not fit into the bounded memory, or cannot be written, is dropped and counted. A host crash loses at most that tenth of a second.
 */
import { join } from 'node:path'
import type { Logger } from 'pino'
import { LogGroup, type LogGroupLimits } from './log-group.ts'
import { readEvents, toLine } from './log-lines.ts'
import { decodeName, encodeName } from './log-names.ts'
import type { LogEvent, LogStore, LogStreamName, StoredLogEvent } from './log-store.ts'
import { LogSubscription } from './log-subscription.ts'

export interface LogFilesOptions extends Partial<LogGroupLimits> {
  readonly directory: string
  readonly log: Pick<Logger, 'warn'>
  /** Bytes that may wait in memory to be written. */
  readonly bufferBytes?: number
  /** Milliseconds for which events gather. */
  readonly intervalMs?: number
}

const MIB = 1024 * 1024
const DEFAULTS = { bufferBytes: 16 * MIB, intervalMs: 100, groupBytes: 64 * MIB, groupFiles: 2000 }

/** Events that `read` returns when no limit is given. */
const READ_LIMIT = 10_000

/** Groups whose files are remembered; of others they are read again. Groups outlive their functions, as on AWS. */
const REMEMBERED_GROUPS = 512

/** Bytes that one waiting event costs besides its text. */
const EVENT_OVERHEAD = 64

interface Batch {
  readonly name: LogStreamName
  events: LogEvent[]
}

export class LogFiles implements LogStore {
  readonly #directory: string
  readonly #log: LogFilesOptions['log']
  readonly #limits: typeof DEFAULTS
  readonly #groups = new Map<string, LogGroup>()
  readonly #subscriptions = new Map<string, Set<LogSubscription>>()
  #waiting = new Map<string, Batch>()
  #waitingBytes = 0
  #dropped = 0
  #reported = 0
  /** The last write failed. It is said when that begins; what it cost, when it is over. */
  #failing = false
  #timer: NodeJS.Timeout | undefined
  /** The last write; each begins when the one before has ended. */
  #writing: Promise<void> = Promise.resolve()

  constructor({ directory, log, ...limits }: LogFilesOptions) {
    this.#directory = directory
    this.#log = log
    this.#limits = { ...DEFAULTS, ...limits }
  }

  /** Groups that are remembered in memory. */
  get groups(): number {
    return this.#groups.size
  }

  /** Events dropped since the start, because memory was full or the disk refused. */
  get dropped(): number {
    return this.#dropped
  }

  append(stream: LogStreamName, events: readonly LogEvent[]): void {
    if (events.length === 0) return
    this.#publish(stream, events)
    const key = `${this.#groupDirectory(stream)}/${stream.stream}`
    let batch = this.#waiting.get(key)
    for (const event of events) {
      const bytes = event.message.length + EVENT_OVERHEAD
      if (this.#waitingBytes + bytes > this.#limits.bufferBytes) {
        this.#dropped++
        continue
      }
      this.#waitingBytes += bytes
      if (batch === undefined) {
        batch = { name: stream, events: [] }
        this.#waiting.set(key, batch)
      }
      batch.events.push(event)
    }
    this.#timer ??= setTimeout(() => void this.flush(), this.#limits.intervalMs)
  }

  /** With a limit, the newest events; without, the newest 10,000. */
  async read(
    account: string,
    region: string,
    group: string,
    { since = 0, limit = READ_LIMIT }: { since?: number; limit?: number },
  ): Promise<StoredLogEvent[]> {
    await this.flush()
    if (limit <= 0) return []
    const found: StoredLogEvent[] = []
    for (const file of await this.#group({ account, region, group }).files()) {
      // Last written before `since`: nothing in it is newer. Clocks of events and files may differ by a little.
      if (file.written < since - 60_000) continue
      const stream = decodeName(file.stream)
      for (const event of await readEvents(file.path)) {
        if (event.timestamp >= since) found.push({ stream, ...event })
      }
      if (found.length > 2 * limit + READ_LIMIT) keepNewest(found, limit)
    }
    keepNewest(found, limit)
    return found
  }

  /** Begins with the next event after this call, whenever the reading begins. */
  follow(account: string, region: string, group: string, signal: AbortSignal): AsyncIterable<StoredLogEvent> {
    const key = this.#groupDirectory({ account, region, group })
    const subscription = new LogSubscription(signal, () => {
      const others = this.#subscriptions.get(key)
      others?.delete(subscription)
      if (others?.size === 0) this.#subscriptions.delete(key)
    })
    if (!signal.aborted) {
      const all = this.#subscriptions.get(key) ?? new Set()
      this.#subscriptions.set(key, all.add(subscription))
    }
    return subscription.events()
  }

  /** Waits until the operating system has everything; a power failure may still lose the last seconds. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const batches = this.#waiting
    if (batches.size > 0) {
      this.#waiting = new Map()
      this.#writing = this.#writing.then(() => this.#write(batches))
    }
    return this.#writing
  }

  async close(): Promise<void> {
    for (const subscription of [...this.#subscriptions.values()].flatMap((all) => [...all])) subscription.end()
    await this.flush()
  }

  async #write(batches: ReadonlyMap<string, Batch>): Promise<void> {
    const before = this.#failing
    this.#failing = false
    for (const { name, events } of batches.values()) {
      let bytes = 0
      for (const { message } of events) bytes += message.length + EVENT_OVERHEAD
      try {
        await this.#group(name).append(encodeName(name.stream), events.map(toLine).join(''))
      } catch (error) {
        this.#dropped += events.length
        if (!before && !this.#failing) {
          this.#log.warn({ error, logGroup: name.group }, 'function logs cannot be written: is the disk full?')
        }
        this.#failing = true
      }
      this.#waitingBytes -= bytes
    }
    if (before && this.#failing) return
    if (this.#dropped > this.#reported) {
      this.#log.warn({ dropped: this.#dropped - this.#reported }, 'function log lines were dropped')
      this.#reported = this.#dropped
    }
  }

  #publish({ stream, ...group }: LogStreamName, events: readonly LogEvent[]): void {
    if (this.#subscriptions.size === 0) return
    for (const subscription of this.#subscriptions.get(this.#groupDirectory(group)) ?? []) {
      for (const { timestamp, message } of events) subscription.push({ stream, timestamp, message })
    }
  }

  #group(name: Omit<LogStreamName, 'stream'>): LogGroup {
    const directory = this.#groupDirectory(name)
    const group = this.#groups.get(directory) ?? new LogGroup(directory, this.#limits)
    // The one used longest ago leaves first. Appends come one after the other, so that no two of them have a group of their own.
    this.#groups.delete(directory)
    this.#groups.set(directory, group)
    if (this.#groups.size > REMEMBERED_GROUPS) this.#groups.delete(this.#groups.keys().next().value!)
    return group
  }

  #groupDirectory({ account, region, group }: Omit<LogStreamName, 'stream'>): string {
    return join(this.#directory, encodeName(account), encodeName(region), encodeName(group))
  }
}

/** Sorts by timestamp, events of one time staying in the order they were found, and cuts the oldest off. */
function keepNewest(events: StoredLogEvent[], limit: number): void {
  events.sort((a, b) => a.timestamp - b.timestamp)
  if (events.length > limit) events.splice(0, events.length - limit)
}
