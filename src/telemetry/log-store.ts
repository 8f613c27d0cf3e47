/** Where function logs go: the file-backed implementation is `log-files.ts`. Groups and streams are named as CloudWatch names them. */

export interface LogStreamName {
  readonly account: string
  readonly region: string
  /** e.g. `/aws/lambda/hello` */
  readonly group: string
  /** e.g. `2026/01/05/[$LATEST]0c043fa44889969a82ad0b09bd15493d`; one per execution environment. */
  readonly stream: string
}

export interface LogEvent {
  /** Unix milliseconds. */
  readonly timestamp: number
  /** One line without its newline. */
  readonly message: string
}

export interface StoredLogEvent extends LogEvent {
  readonly stream: string
}

export interface LogStore {
  /** Buffers and returns at once: no answer ever waits for log storage. Lines beyond the buffer's bound are dropped and counted. */
  append(stream: LogStreamName, events: readonly LogEvent[]): void
  /** Events of a group in the order of their timestamps, oldest first. */
  read(
    account: string,
    region: string,
    group: string,
    options: { since?: number; limit?: number },
  ): Promise<StoredLogEvent[]>
  /** New events of a group as they are appended, until the signal aborts. */
  follow(account: string, region: string, group: string, signal: AbortSignal): AsyncIterable<StoredLogEvent>
  /** Waits until everything appended so far is on disk. */
  flush(): Promise<void>
  close(): Promise<void>
}
