/**
 * The durable enqueue against raw better-sqlite3: `npm run bench:enqueue [-- seconds backlog depth rounds]`.
 *
 * Raw: the same two rows for each event, in one transaction for each group of 8, by better-sqlite3 alone with WAL and synchronous=FULL, on
 * a machine that has nothing else to do. Hearth: 8 connections that send `InvocationType: Event`, each its next one when it has its 202.
 * The function that gets them is busy, so that events stay in the queue; one host starts with an empty queue, one with a deep one.
 * Rounds are interleaved. Last, p99 while a third host works off a backlog of another function with 4 environments.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PutFunctionConcurrencyCommand } from '@aws-sdk/client-lambda'
import Database from 'better-sqlite3'
import { createFunction } from '../test/support/functions.ts'
import { testClient } from '../test/support/host.ts'
import { type HostProcess, startHostProcess } from '../test/support/host-process.ts'
import { CONNECTIONS, enqueue, fill, loadAverage, type Measured, PAYLOAD, queued } from './events.ts'
import { median } from './load.ts'
import { HANDLER, RUNTIME } from './setting.ts'

const SECONDS = Number(process.argv[2] ?? 4)
const BACKLOG = Number(process.argv[3] ?? 100_000)
const DEPTH = Number(process.argv[4] ?? 1_000_000)
const ROUNDS = Number(process.argv[5] ?? 5)
/** Ends long after the benchmark. */
const BUSY = 'exports.handler = () => new Promise((done) => setTimeout(done, 890_000))'
const ENV = { HEARTH_LOG_LEVEL: 'warn', HEARTH_QUEUE_MAX_BYTES: '8G', HEARTH_DRAIN_TIMEOUT: '1' }

const folder = mkdtempSync(join(tmpdir(), 'hearth-bench-'))

/** Events per second of the library alone. */
function raw(): number {
  const path = join(folder, 'raw')
  mkdirSync(path, { recursive: true })
  const db = new Database(join(path, 'raw.db'))
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA locking_mode = EXCLUSIVE')
    db.exec(
      'create table if not exists events (id integer primary key autoincrement, function_key text, request_id text, enqueued_at integer, due_at integer)',
    )
    db.exec('create index if not exists due on events (due_at, id)')
    db.exec('create index if not exists by_function on events (function_key, due_at, id)')
    db.exec('create table if not exists payloads (event_id integer primary key, trace text, payload blob)')
    const event = db.prepare('insert into events (function_key, request_id, enqueued_at, due_at) values (?, ?, ?, ?)')
    const payload = db.prepare('insert into payloads values (?, ?, ?)')
    const group = db.transaction(() => {
      for (let i = 0; i < CONNECTIONS; i++) {
        const now = Date.now()
        const { lastInsertRowid } = event.run('000000000000/us-east-1/held', randomUUID(), now, now)
        payload.run(lastInsertRowid, 'Root=1-0-0', PAYLOAD)
      }
    })
    const end = performance.now() + SECONDS * 1000
    let events = 0
    for (; performance.now() < end; events += CONNECTIONS) group()
    return events / SECONDS
  } finally {
    db.close()
  }
}

/** A host whose queue holds `events` of the function `name`, which is `held` or one with 4 environments that returns at once. */
async function hostWith(name: 'held' | 'backlog', events: number): Promise<HostProcess> {
  const data = join(folder, `${name}-${events}`)
  const host = await startHostProcess(data, ENV)
  const client = testClient(host.url)
  const make = async (FunctionName: string, code: string, ReservedConcurrentExecutions: number) => {
    const settings = { Runtime: RUNTIME, MemorySize: 1769, Timeout: 900 } as const
    await createFunction(client, FunctionName, { 'index.js': code }, settings)
    await client.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions }))
  }
  await make('held', BUSY, 1)
  if (name === 'backlog') await make('backlog', HANDLER, 4)
  client.destroy()
  if (events === 0) return host
  await host.end('SIGTERM')
  process.stderr.write(`filling a queue with ${events} events\n`)
  await fill(data, name, events)
  return startHostProcess(data, ENV)
}

const hosts: HostProcess[] = []
try {
  const shallow = await hostWith('held', 0)
  hosts.push(shallow)
  const deep = await hostWith('held', DEPTH)
  hosts.push(deep)
  for (const { url } of hosts) await enqueue(url, 'held', 3)
  const rawRates: number[] = []
  const atShallow: Measured[] = []
  const atDepth: Measured[] = []
  for (let round = 0; round < ROUNDS; round++) {
    rawRates.push(raw())
    atShallow.push(await enqueue(shallow.url, 'held', SECONDS))
    atDepth.push(await enqueue(deep.url, 'held', SECONDS))
    const rates = [rawRates.at(-1), atShallow.at(-1)?.rate, atDepth.at(-1)?.rate]
    process.stderr.write(
      `round ${round + 1} of ${ROUNDS}: raw, empty, deep ${rates.map((rate) => rate?.toFixed(0))}; load average ${loadAverage()}\n`,
    )
  }
  for (const host of hosts.splice(0)) await host.end('SIGTERM')

  const working = await hostWith('backlog', BACKLOG)
  hosts.push(working)
  await enqueue(working.url, 'held', 3)
  const before = await queued(working.url, 'backlog')
  const draining = await enqueue(working.url, 'held', SECONDS * 2)
  const after = await queued(working.url, 'backlog')

  const of = (measured: readonly Measured[], what: keyof Measured) => median(measured.map((each) => each[what]))
  const rate = of(atShallow, 'rate')
  const ratio = median(atShallow.map((each, i) => each.rate / rawRates[i]!))
  const depthRatio = median(atDepth.map((each, i) => each.rate / atShallow[i]!.rate))
  process.stdout.write(`| durable enqueue, ${CONNECTIONS} connections, median of ${ROUNDS} interleaved rounds | value | ratio |
| --- | --- | --- |
| raw better-sqlite3, groups of ${CONNECTIONS} | ${median(rawRates).toFixed(0)} /s | 1 |
| Hearth | ${rate.toFixed(0)} /s | ${ratio.toFixed(2)} of raw |
| p99 of the 202 | ${of(atShallow, 'p99').toFixed(2)} ms | |
| p99 while ${((after.done - before.done) / (SECONDS * 2)).toFixed(0)} events per second of a backlog of ${BACKLOG} run (${draining.rate.toFixed(0)} /s) | ${draining.p99.toFixed(2)} ms | |
| at a depth of ${DEPTH} and more | ${of(atDepth, 'rate').toFixed(0)} /s | ${depthRatio.toFixed(2)} of an empty queue |

Load average ${loadAverage()}.
`)
} finally {
  for (const host of hosts) await host.end('SIGTERM')
  rmSync(folder, { recursive: true, force: true })
}
