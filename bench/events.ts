/** What the benchmarks of asynchronous events share: callers that send them, and a queue that is long from the start. */
import { randomUUID } from 'node:crypto'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import autocannon from 'autocannon'
import { openStore } from '../src/store/open.ts'
import { percentile } from './load.ts'

export const CONNECTIONS = 8
export const PAYLOAD = Buffer.from(JSON.stringify({ order: 'x'.repeat(200) }))

export interface Measured {
  /** Events per second. */
  readonly rate: number
  /** Milliseconds until the 202. */
  readonly p99: number
}

/** Callers that send each its next event when it has its 202. @throws when one gets another answer */
export async function enqueue(url: string, name: string, seconds: number): Promise<Measured> {
  const latencies: number[] = []
  const refusals = new Set<number>()
  let ended = 0
  const began = performance.now()
  const { errors } = await new Promise<autocannon.Result>((resolve, reject) => {
    const running = autocannon(
      {
        url: `${url}/2015-03-31/functions/${name}/invocations`,
        connections: CONNECTIONS,
        duration: seconds,
        method: 'POST',
        headers: { 'X-Amz-Invocation-Type': 'Event' },
        body: PAYLOAD,
      },
      (error: Error | null, result) => (error ? reject(error) : resolve(result)),
    )
    running.on('response', (_client, status, _bytes, ms) => {
      if (status !== 202) refusals.add(status)
      latencies.push(ms)
      ended = performance.now()
    })
  })
  if (refusals.size > 0 || errors > 0)
    throw new Error(`events were answered with ${[...refusals]}; ${errors} had no answer`)
  return { rate: latencies.length / ((ended - began) / 1000), p99: percentile(latencies, 0.99) }
}

/** The counts of a function's events. */
export async function queued(url: string, name: string): Promise<{ readonly waiting: number; readonly done: number }> {
  const answer = await fetch(`${url}/_hearth/queue`)
  const { functions } = (await answer.json()) as { functions: { function: string; waiting: number; done: number }[] }
  return functions.find((each) => each.function === name) ?? { waiting: 0, done: 0 }
}

/** Ratios of a loaded machine deserve less trust. */
export function loadAverage(): string {
  return loadavg()
    .map((each) => each.toFixed(1))
    .join(' ')
}

/** Puts events for one function straight into the database of a host that does not run. */
export async function fill(data: string, name: string, events: number): Promise<void> {
  const store = await openStore(join(data, 'hearth.db'))
  for (let done = 0; done < events; done += 2000) {
    await Promise.all(
      Array.from({ length: Math.min(2000, events - done) }, () =>
        store.queue.put({
          function: { account: '000000000000', region: 'us-east-1', name },
          qualifier: undefined,
          requestId: randomUUID(),
          traceHeader: 'Root=1-0-0',
          payload: PAYLOAD,
          enqueuedAt: Date.now(),
        }),
      ),
    )
  }
  await store.close()
}
