/**
 * The durable enqueue against raw better-sqlite3: `node --import tsx bench/enqueue.ts [seconds] [backlog] [depth]`.
 *
 * Raw: the same two rows for each event, in one transaction for each group of 8, by better-sqlite3 alone with WAL and synchronous=FULL.
 * Hearth: 8 connections that send `InvocationType: Event`, each its next one when it has its 202. The function's concurrency is one
 * environment, so that events stay; a function of its own receives the backlog. Rounds are interleaved.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PutFunctionConcurrencyCommand } from '@aws-sdk/client-lambda'
import Database from 'better-sqlite3'
import { openStore } from '../src/store/open.ts'
import { createFunction } from '../test/support/functions.ts'
import { testClient } from '../test/support/host.ts'
import { startHostProcess } from '../test/support/host-process.ts'
import { median, percentile } from './load.ts'
import { HANDLER, RUNTIME } from './setting.ts'

const SECONDS = Number(process.argv[2] ?? 4)
const BACKLOG = Number(process.argv[3] ?? 10_000)
const DEPTH = Number(process.argv[4] ?? 100_000)
const ROUNDS = 3
const CONNECTIONS = 8
const PAYLOAD = Buffer.from(JSON.stringify({ order: 'x'.repeat(200) }))
const KEY = { account: '000000000000', region: 'us-east-1', name: 'held' }

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

/** Events per second and their latencies in milliseconds. */
async function enqueue(url: string, seconds: number, count = Number.POSITIVE_INFINITY) {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const target = `${url}/2015-03-31/functions/held/invocations`
  const headers = { 'X-Amz-Invocation-Type': 'Event', 'Content-Length': PAYLOAD.length }
  const latencies: number[] = []
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const began = performance.now()
      const sent = request(target, { method: 'POST', agent, headers }, (answer) => {
        answer.resume()
        answer.once('end', () => {
          if (answer.statusCode !== 202) return reject(new Error(`it answered ${answer.statusCode}`))
          latencies.push(performance.now() - began)
          resolve()
        })
      })
      sent.once('error', reject)
      sent.end(PAYLOAD)
    })
  const began = performance.now()
  const end = began + seconds * 1000
  let left = count
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (performance.now() < end && left-- > 0) await one()
    }),
  )
  agent.destroy()
  return { rate: latencies.length / ((performance.now() - began) / 1000), latencies }
}

/** Puts events straight into the database of a host that does not run. */
async function fill(data: string, events: number): Promise<void> {
  const store = await openStore(join(data, 'hearth.db'))
  for (let done = 0; done < events; done += 2000) {
    await Promise.all(
      Array.from({ length: Math.min(2000, events - done) }, () =>
        store.queue.put({
          function: KEY,
          qualifier: undefined,
          requestId: randomUUID(),
          traceHeader: '',
          payload: PAYLOAD,
          enqueuedAt: Date.now(),
        }),
      ),
    )
  }
  await store.close()
}

const env = { HEARTH_LOG_LEVEL: 'warn', HEARTH_QUEUE_MAX_BYTES: '8G' }
const data = join(folder, 'host')
let host = await startHostProcess(data, env)
try {
  const client = testClient(host.url)
  await createFunction(client, 'held', { 'index.js': HANDLER }, { Runtime: RUNTIME })
  const reserve = (ReservedConcurrentExecutions: number) =>
    client.send(new PutFunctionConcurrencyCommand({ FunctionName: 'held', ReservedConcurrentExecutions }))
  await reserve(1)
  await enqueue(host.url, 1)
  const rawRates: number[] = []
  const rates: number[] = []
  const latencies: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    rawRates.push(raw())
    const measured = await enqueue(host.url, SECONDS)
    rates.push(measured.rate)
    latencies.push(...measured.latencies)
    process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`)
  }
  client.destroy()
  await host.end('SIGTERM')

  await fill(data, BACKLOG)
  host = await startHostProcess(data, env)
  const draining = await enqueue(host.url, SECONDS)
  await host.end('SIGTERM')

  process.stderr.write(`filling the queue with ${DEPTH} events\n`)
  await fill(data, DEPTH)
  host = await startHostProcess(data, env)
  const deep = await enqueue(host.url, SECONDS)

  const rate = median(rates)
  process.stdout.write(`| durable enqueue, ${CONNECTIONS} connections | value | ratio |
| --- | --- | --- |
| raw better-sqlite3, groups of ${CONNECTIONS} | ${median(rawRates).toFixed(0)} /s | 1 |
| Hearth, median of ${ROUNDS} interleaved rounds | ${rate.toFixed(0)} /s | ${(rate / median(rawRates)).toFixed(2)} of raw |
| its p99 | ${percentile(latencies, 0.99).toFixed(2)} ms | |
| p99 while a backlog of ${BACKLOG} drains | ${percentile(draining.latencies, 0.99).toFixed(2)} ms | |
| rate at a depth of ${DEPTH} and more | ${deep.rate.toFixed(0)} /s | ${(deep.rate / rate).toFixed(2)} of the rate before |
`)
} finally {
  await host.end('SIGTERM')
  rmSync(folder, { recursive: true, force: true })
}
