/** Function logs for operators, as NDJSON: GET /_hearth/logs. */
import type { Context } from 'hono'
import type { LogStore, StoredLogEvent } from '../../telemetry/log-store.ts'
import { type Caller, type CallerOptions, Callers } from '../http/caller.ts'

/** Events of one answer; `hearth logs --limit` says the same. */
const LOG_EVENTS = { default: 10_000, max: 100_000 } as const
/** Characters of one piece of the body: an answer of many lines is not put together in memory once more. */
const PIECE_CHARACTERS = 256 * 1024
const NAME = /^[A-Za-z0-9_-]{1,64}$/
const GROUP = /^[A-Za-z0-9_\-/.#]{1,512}$/
/** How far before the start of a follow its first events may be among those just read, milliseconds. */
const OVERLAP_MS = 60_000

export interface LogsOptions {
  readonly logs: LogStore
  /** Whose logs are meant where the query names no account or region: the access key's, as for every operation. */
  readonly caller: CallerOptions
}

interface LogQuery extends Caller {
  readonly group: string
  readonly since: number | undefined
  readonly limit: number
  readonly follow: boolean
}

export async function answerLogs(c: Context, options: LogsOptions): Promise<Response> {
  const query = parseLogQuery(
    (name) => c.req.query(name),
    new Callers(options.caller).of(c.req.header('authorization')),
  )
  if (typeof query === 'string') return c.json({ message: query }, 400)
  const { logs } = options
  const { account, region, group } = query
  const stop = new AbortController()
  // Asking for the first new event before reading the old ones: nothing that is written in between is lost.
  const following = query.follow ? logs.follow(account, region, group, stop.signal)[Symbol.asyncIterator]() : undefined
  const began = Date.now()
  let coming = following?.next()
  // Looked at only after the old events are out; until then its failure must not count as unhandled.
  coming?.catch(() => {})
  let old: StoredLogEvent[]
  try {
    await logs.flush()
    old = await logs.read(account, region, group, {
      limit: query.limit,
      ...(query.since === undefined ? {} : { since: query.since }),
    })
  } catch (error) {
    stop.abort()
    throw error
  }
  if (following === undefined) {
    return c.body(ReadableStream.from(pieces(old)), 200, { 'Content-Type': 'application/x-ndjson' })
  }

  const seen = new Map<string, number>()
  for (const event of old) {
    if (event.timestamp >= began - OVERLAP_MS) seen.set(line(event), (seen.get(line(event)) ?? 0) + 1)
  }
  const encoder = new TextEncoder()
  const before = pieces(old)
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      // The head of the answer leaves although nothing has been logged yet.
      controller.enqueue(new Uint8Array(0))
    },
    async pull(controller) {
      const piece = before.next()
      if (!piece.done) return controller.enqueue(piece.value)
      for (;;) {
        const next = await (coming ?? following.next())
        coming = undefined
        if (next.done) return controller.close()
        const text = line(next.value)
        const known = seen.get(text) ?? 0
        if (known === 0) return controller.enqueue(encoder.encode(text))
        seen.set(text, known - 1)
      }
    },
    cancel() {
      stop.abort()
    },
  })
  return c.body(body, 200, { 'Content-Type': 'application/x-ndjson', 'X-Accel-Buffering': 'no' })
}

/** The events as lines, many in one piece. */
function* pieces(events: readonly StoredLogEvent[]): Generator<Uint8Array<ArrayBuffer>, void> {
  const encoder = new TextEncoder()
  let text = ''
  for (const event of events) {
    text += line(event)
    if (text.length < PIECE_CHARACTERS) continue
    yield encoder.encode(text)
    text = ''
  }
  if (text !== '') yield encoder.encode(text)
}

function line(event: StoredLogEvent): string {
  return `${JSON.stringify({ timestamp: event.timestamp, message: event.message, stream: event.stream })}\n`
}

/** What is asked for, or the sentence that says what is wrong. */
function parseLogQuery(get: (name: string) => string | undefined, defaults: Caller): LogQuery | string {
  const name = get('function')
  const group = get('group') ?? (name === undefined ? undefined : `/aws/lambda/${name}`)
  if (group === undefined) return 'Name the logs to read: function=NAME or group=/aws/lambda/NAME.'
  if (name !== undefined && !NAME.test(name))
    return 'function must be a function name: letters, digits, - and _, at most 64.'
  if (!GROUP.test(group)) return 'group must be the name of a log group, at most 512 characters.'
  const account = get('account') ?? defaults.account
  if (!/^\d{12}$/.test(account)) return 'account must be twelve digits.'
  const region = get('region') ?? defaults.region
  if (!/^[a-z0-9-]{1,32}$/.test(region)) return 'region must look like us-east-1.'
  const since = get('since')
  if (since !== undefined && !/^\d{1,15}$/.test(since)) return 'since must be a time in milliseconds since 1970.'
  const limit = get('limit') ?? String(LOG_EVENTS.default)
  if (!/^\d{1,6}$/.test(limit) || Number(limit) < 1 || Number(limit) > LOG_EVENTS.max) {
    return `limit must be a number of events from 1 to ${LOG_EVENTS.max}.`
  }
  const follow = get('follow') ?? '0'
  if (follow !== '0' && follow !== '1') return 'follow must be 0 or 1.'
  return {
    account,
    region,
    group,
    since: since === undefined ? undefined : Number(since),
    limit: Number(limit),
    follow: follow === '1',
  }
}
