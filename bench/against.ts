/**
 * This checkout against another one, e.g. the state before a change: `npm run bench:against -- CHECKOUT [warm|enqueue|cold] [rounds]`.
 *
 * Both hosts live at once and take turns; who is first changes with every round. Each round gives one ratio for each figure, this checkout's
 * cost over the other's (time, or the inverse of a rate): above 1 this checkout is slower. The machine's noise hits both sides of a round.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DeleteFunctionCommand, InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda'
import { createFunction } from '../test/support/functions.ts'
import { testClient } from '../test/support/host.ts'
import { type HostProcess, startHostProcess } from '../test/support/host-process.ts'
import { CONNECTIONS, enqueue, loadAverage } from './events.ts'
import { median, oneCaller, percentile, throughput } from './load.ts'
import { HANDLER, IMAGE, RUNTIME } from './setting.ts'

const [OTHER, SUBJECT = 'warm', ROUNDS_TEXT = '21'] = process.argv.slice(2)
const ROUNDS = Number(ROUNDS_TEXT)
const MEMORY_MB = 1769
const SECONDS = 2
const CALLS = 1000

interface Side {
  readonly name: string
  readonly host: HostProcess
  readonly client: LambdaClient
}

/** Costs by figure: milliseconds, or milliseconds for each request. */
type Costs = Readonly<Record<string, number>>

interface Subject {
  readonly functions: Readonly<Record<string, string>>
  measure(side: Side, round: number): Promise<Costs>
}

const SUBJECTS: Readonly<Record<string, Subject>> = {
  warm: {
    functions: { bench: HANDLER },
    async measure({ name, host }) {
      const target = { name, url: `${host.url}/2015-03-31/functions/bench/invocations` }
      return {
        'p50 at 1 caller': median(await oneCaller(target, CALLS)),
        'request at 8 callers': 1000 / (await throughput(target, 8, SECONDS)),
        'request at 32 callers': 1000 / (await throughput(target, 32, SECONDS)),
      }
    },
  },
  enqueue: {
    // Ends long after the benchmark, so that events stay in the queue.
    functions: { held: 'exports.handler = () => new Promise((done) => setTimeout(done, 890_000))' },
    async measure({ host }) {
      const { rate, p99 } = await enqueue(host.url, 'held', SECONDS)
      return { [`event at ${CONNECTIONS} callers`]: 1000 / rate, 'p99 of the 202': p99 }
    },
  },
  cold: {
    functions: {},
    async measure({ client }, round) {
      const FunctionName = `bench-${round}`
      await createFunction(client, FunctionName, { 'index.js': HANDLER }, { Runtime: RUNTIME, MemorySize: MEMORY_MB })
      const began = performance.now()
      const answer = await client.send(new InvokeCommand({ FunctionName, Payload: '{}' }))
      const took = performance.now() - began
      if (answer.FunctionError !== undefined) throw new Error(Buffer.from(answer.Payload!).toString())
      await client.send(new DeleteFunctionCommand({ FunctionName }))
      await new Promise((done) => setTimeout(done, 500))
      return { 'first invoke': took }
    },
  },
}

const subject = SUBJECTS[SUBJECT]
if (OTHER === undefined || subject === undefined || !(ROUNDS > 0)) {
  process.stderr.write(`usage: npm run bench:against -- CHECKOUT [${Object.keys(SUBJECTS).join('|')}] [rounds]\n`)
  process.exit(2)
}

const folder = mkdtempSync(join(tmpdir(), 'hearth-bench-'))
const sides: Side[] = []

async function side(name: string, checkout: string): Promise<Side> {
  const data = join(folder, name)
  mkdirSync(data, { mode: 0o700 })
  // One image for both: each checkout would build its own, and take the other's tag.
  const env = {
    HEARTH_LOG_LEVEL: 'warn',
    HEARTH_DRAIN_TIMEOUT: '1',
    HEARTH_QUEUE_MAX_BYTES: '8G',
    HEARTH_RUNTIME_IMAGE_MAP: `${RUNTIME}=${IMAGE}`,
  }
  const host = await startHostProcess(data, env, checkout)
  const client = testClient(host.url)
  for (const [name, code] of Object.entries(subject!.functions)) {
    const settings = { Runtime: RUNTIME, MemorySize: MEMORY_MB, Timeout: 900 } as const
    await createFunction(client, name, { 'index.js': code }, settings)
  }
  return { name, host, client }
}

try {
  sides.push(await side('this', resolve(import.meta.dirname, '..')), await side('other', resolve(OTHER)))
  const [own, other] = sides as [Side, Side]
  for (const each of sides) await subject.measure(each, -1)
  const ratios = new Map<string, number[]>()
  const costs = new Map<string, [number[], number[]]>()
  for (let round = 0; round < ROUNDS; round++) {
    const measured = new Map<Side, Costs>()
    for (const each of round % 2 === 0 ? [own, other] : [other, own]) {
      measured.set(each, await subject.measure(each, round))
    }
    for (const [figure, cost] of Object.entries(measured.get(own)!)) {
      const othersCost = measured.get(other)![figure]!
      ratios.set(figure, [...(ratios.get(figure) ?? []), cost / othersCost])
      const [mine, theirs] = costs.get(figure) ?? [[], []]
      costs.set(figure, [
        [...mine, cost],
        [...theirs, othersCost],
      ])
    }
    process.stderr.write(`round ${round + 1} of ${ROUNDS}; load average ${loadAverage()}\n`)
  }
  const rows = [...ratios].map(([figure, values]) => {
    const [mine, theirs] = costs.get(figure)!
    const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => percentile(values, share).toFixed(3))
    return `| ${figure} | ${median(theirs).toFixed(3)} ms | ${median(mine).toFixed(3)} ms | ${middle} | ${low} to ${high} |`
  })
  process.stdout.write(
    `| ${SUBJECT}, ${ROUNDS} interleaved rounds | other | this | median of the ratios | quartiles |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`,
  )
} finally {
  for (const { host, client } of sides) {
    client.destroy()
    await host.end('SIGTERM')
  }
  rmSync(folder, { recursive: true, force: true })
}
