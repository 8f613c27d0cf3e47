/**
 * Does a backlog of one function delay the events of another? `npm run bench:fairness [-- backlog events rounds]`.
 *
 * `first` has a reserved concurrency of 1 and a handler that returns at once, `second` has no reservation. Events to `second` are sent one
 * after the other, without a backlog and then while thousands of events to `first` wait and run; measured is the time from sending an
 * event until its handler runs, by the clock of this machine. Rounds are interleaved.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { InvokeCommand, type LambdaClient, PutFunctionConcurrencyCommand } from '@aws-sdk/client-lambda'
import { createFunction } from '../test/support/functions.ts'
import { testClient } from '../test/support/host.ts'
import { loadAverage, queued } from './events.ts'
import { median, percentile } from './load.ts'
import { HANDLER, RUNTIME, setUp } from './setting.ts'

const BACKLOG = Number(process.argv[2] ?? 5000)
const EVENTS = Number(process.argv[3] ?? 300)
const ROUNDS = Number(process.argv[4] ?? 7)
const PAUSE_MS = 10
/** Milliseconds since 1970, finer than Date.now(). */
const NOW = 'performance.timeOrigin + performance.now()'
const TELLS_WHEN = `exports.handler = async ({ sent }) => console.log('after', ${NOW} - sent, 'ms')`

// On a busy machine a slow moment would start environments, and these would be the next slow moment.
const setting = await setUp({ HEARTH_DRAIN_TIMEOUT: '1', HEARTH_MAX_ENVIRONMENTS: '8' })
const { url } = setting.host
const client = testClient(url)

function send(to: LambdaClient, FunctionName: string): Promise<unknown> {
  const sent = performance.timeOrigin + performance.now()
  const Payload = JSON.stringify({ sent })
  return to.send(new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload }))
}

/** Milliseconds from sending each of `EVENTS` events until it ran. */
async function latencies(): Promise<number[]> {
  const since = Date.now()
  for (let i = 0; i < EVENTS; i++) {
    await send(client, 'second')
    await pause(PAUSE_MS)
  }
  for (;;) {
    const answer = await fetch(`${url}/_hearth/logs?function=second&since=${since}&limit=100000`)
    const found = [...(await answer.text()).matchAll(/after ([\d.]+) ms/g)].map(([, ms]) => Number(ms))
    if (found.length >= EVENTS) return found
    await pause(100)
  }
}

const waiting = async () => (await queued(url, 'first')).waiting

try {
  await createFunction(client, 'first', { 'index.js': HANDLER }, { Runtime: RUNTIME, MemorySize: 1769 })
  await createFunction(client, 'second', { 'index.js': TELLS_WHEN }, { Runtime: RUNTIME, MemorySize: 1769 })
  await client.send(new PutFunctionConcurrencyCommand({ FunctionName: 'first', ReservedConcurrentExecutions: 1 }))
  await latencies()
  const rounds: { alone: number; beside: number; left: number }[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const alone = percentile(await latencies(), 0.99)
    const callers = Array.from({ length: 50 }, async () => {
      for (let i = 0; i < BACKLOG / 50; i++) await send(client, 'first')
    })
    await Promise.all(callers)
    const beside = percentile(await latencies(), 0.99)
    const left = await waiting()
    rounds.push({ alone, beside, left })
    process.stderr.write(
      `round ${round + 1} of ${ROUNDS}: ${alone.toFixed(1)} and ${beside.toFixed(1)} ms, ${left} events left\n`,
    )
    while ((await waiting()) > 0) await pause(200)
  }
  const of = (what: keyof (typeof rounds)[number]) => median(rounds.map((each) => each[what]))
  const ratio = median(rounds.map(({ alone, beside }) => beside / alone))
  process.stdout.write(`| events of the second function, median of ${ROUNDS} interleaved rounds of ${EVENTS} | p99 until they run | ratio |
| --- | --- | --- |
| alone | ${of('alone').toFixed(2)} ms | 1 |
| beside a backlog of ${BACKLOG} events of the first (${of('left')} of them left at the end) | ${of('beside').toFixed(2)} ms | ${ratio.toFixed(2)} |

Load average ${loadAverage()}.
`)
} finally {
  client.destroy()
  await setting.end()
}
