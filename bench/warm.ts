/** A warm invoke against a raw bridge: `npm run bench:warm [-- rounds]`. MemorySize 1769 is one whole core; 128 MB would measure the throttle. */
import { createFunction } from '../test/support/functions.ts'
import { testClient } from '../test/support/host.ts'
import { median, oneCaller, percentile, type Target, throughput } from './load.ts'
import { HANDLER, RUNTIME, setUp, startRawBridge } from './setting.ts'

const ROUNDS = Number(process.argv[2] ?? 5)
const MEMORY_MB = 1769
const CALLERS = [8, 32]
const SECONDS = 4
const CALLS = 2000

const setting = await setUp()
const bridge = await startRawBridge(setting.folder, Math.max(...CALLERS), MEMORY_MB)
const client = testClient(setting.host.url)
try {
  await createFunction(client, 'bench', { 'index.js': HANDLER }, { Runtime: RUNTIME, MemorySize: MEMORY_MB })
  const targets: Target[] = [
    { name: 'raw bridge', url: bridge.url },
    { name: 'Hearth', url: `${setting.host.url}/2015-03-31/functions/bench/invocations` },
  ]
  const p50 = new Map<string, number[]>()
  const p99 = new Map<string, number[]>()
  const rates = new Map<string, number[]>()
  const note = (map: Map<string, number[]>, key: string, value: number) =>
    map.set(key, [...(map.get(key) ?? []), value])

  for (const target of targets) await throughput(target, Math.max(...CALLERS), 10)
  for (let round = 0; round < ROUNDS; round++) {
    for (const target of targets) {
      const latencies = await oneCaller(target, CALLS)
      note(p50, target.name, median(latencies))
      note(p99, target.name, percentile(latencies, 0.99))
    }
    for (const callers of CALLERS) {
      for (const target of targets) note(rates, `${target.name} ${callers}`, await throughput(target, callers, SECONDS))
    }
    process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`)
  }

  const row = (what: string, unit: string, values: Map<string, number[]>, key = '', digits = 2) => {
    const raw = median(values.get(`raw bridge${key}`)!)
    const ours = median(values.get(`Hearth${key}`)!)
    return `| ${what} | ${raw.toFixed(digits)} ${unit} | ${ours.toFixed(digits)} ${unit} | ${(ours / raw).toFixed(2)} |`
  }
  process.stdout.write(
    `| warm invoke, median of ${ROUNDS} interleaved rounds | raw bridge | Hearth | ratio |
| --- | --- | --- | --- |
${row('p50 at 1 caller', 'ms', p50, '', 3)}
${row('p99 at 1 caller', 'ms', p99, '', 3)}
${CALLERS.map((callers) => row(`throughput at ${callers} callers`, '/s', rates, ` ${callers}`, 0)).join('\n')}
`,
  )
} finally {
  client.destroy()
  await bridge.end('SIGTERM')
  await setting.end()
}
