/**
 * A hostile function and a hostile page beside somebody else's function: `npm run bench:hostile [-- seconds [attack,…]]`. Prints the other function's
 * p50 and p99 before and meanwhile, how much the host's memory grew, and every answer that must not have been one.
 */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { InvokeCommand, PutFunctionConcurrencyCommand } from '@aws-sdk/client-lambda'
import { createFunction } from '../test/support/functions.ts'
import { testClient } from '../test/support/host.ts'
import { percentile } from './load.ts'
import { HANDLER, RUNTIME, setUp } from './setting.ts'

const SECONDS = Number(process.argv[2] ?? 60)
/** Those of hostile-function.js, by name; all of them unless given. */
const ATTACKS = process.argv[3]?.split(',')
const VICTIM = '111122223333'
const BIG = 'exports.handler = async () => "x".repeat(5_900_000)'
const MIB = 1024 * 1024

interface Said {
  readonly counts: Readonly<Record<string, number>>
  readonly leaks: readonly string[]
}

const setting = await setUp({ HEARTH_DRAIN_TIMEOUT: '1' })
const hostile = testClient(setting.host.url)
const credentials = { accessKeyId: `AKIA0000${VICTIM}`, secretAccessKey: 'secret' }
const victim = testClient(setting.host.url, { credentials })
const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/20261201/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0`

/** Milliseconds of each invoke of the victim, one after the other, while `going`. */
async function latencies(going: () => boolean): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const found: number[] = []
  while (going()) {
    const began = performance.now()
    await new Promise<void>((resolve, reject) => {
      const outgoing = request(
        `${setting.host.url}/2015-03-31/functions/victim/invocations`,
        { method: 'POST', agent, headers: { 'Content-Length': 2, Authorization: authorization } },
        (response) => {
          response.resume()
          response.on('end', () =>
            response.statusCode === 200 ? resolve() : reject(new Error(`status ${response.statusCode}`)),
          )
        },
      )
      outgoing.on('error', reject)
      outgoing.end('{}')
    })
    found.push(performance.now() - began)
    // A caller that leaves room for others, so that the machine is not measured.
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  agent.destroy()
  return found
}

function memoryBytes(): number {
  const text = readFileSync(`/proc/${setting.host.process.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(text)?.[1]) * 1024
}

/** What a page of another site can make a browser send: simple requests with any User-Agent, and names that it lets point here. */
async function hostilePage(going: () => boolean): Promise<string[]> {
  const leaks = new Set<string>()
  const port = new URL(setting.host.url).port
  const pages: Record<string, string>[] = [
    { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site', 'User-Agent': 'aws-cli/2.0' },
    { Origin: 'null', 'Sec-Fetch-Site': 'cross-site' },
    { Host: `evil.example:${port}`, 'User-Agent': 'Boto3/1.0' },
    { Host: `127.0.0.1.evil.example:${port}`, 'User-Agent': 'Mozilla/5.0' },
    { Host: `evil.example:${port}`, Origin: `http://evil.example:${port}`, 'Sec-Fetch-Site': 'same-origin' },
    { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors' },
  ]
  const paths = ['/_hearth/environments', '/_hearth/config', '/2015-03-31/functions/', '/2015-03-31/functions/big', '/']
  while (going()) {
    for (const headers of pages) {
      for (const path of [...paths, '/2015-03-31/functions/big/invocations']) {
        const method = path.endsWith('invocations') ? 'POST' : 'GET'
        const status = await new Promise<number>((resolve) => {
          const outgoing = request(`${setting.host.url}${path}`, { method, headers }, (response) => {
            response.resume()
            resolve(response.statusCode ?? 0)
          })
          outgoing.on('error', () => resolve(0))
          outgoing.end()
        })
        if (status >= 200 && status < 400) leaks.add(`${status} ${method} ${path} ${JSON.stringify(headers)}`)
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return [...leaks]
}

try {
  const settings = { Runtime: RUNTIME, MemorySize: 1769, Timeout: SECONDS + 60 } as const
  const code = readFileSync(join(import.meta.dirname, 'hostile-function.js'), 'utf8')
  await createFunction(victim, 'victim', { 'index.js': HANDLER }, settings)
  await createFunction(hostile, 'big', { 'index.js': BIG }, { ...settings, MemorySize: 256 })
  // More environments would measure the starts of containers.
  await hostile.send(new PutFunctionConcurrencyCommand({ FunctionName: 'big', ReservedConcurrentExecutions: 2 }))
  await createFunction(hostile, 'flood', { 'index.js': code }, { ...settings, MemorySize: 512 })
  await createFunction(hostile, 'prober', { 'index.js': code }, { ...settings, MemorySize: 256 })
  const warmUp = Date.now() + 3000
  await latencies(() => Date.now() < warmUp)

  const quiet = Date.now() + Math.min(SECONDS, 20) * 1000
  const before = await latencies(() => Date.now() < quiet)
  const memoryBefore = memoryBytes()
  let running = true
  let memoryMost = 0
  const watch = setInterval(() => {
    memoryMost = Math.max(memoryMost, memoryBytes())
  }, 100)
  // Two functions: one that floods may lose its own answer, and what the other one found out must not be lost.
  const attack = async (FunctionName: string, attacks: readonly string[] | undefined) => {
    const event = { seconds: SECONDS, account: VICTIM, attacks }
    const { Payload } = await hostile.send(
      new InvokeCommand({ FunctionName, Payload: Buffer.from(JSON.stringify(event)) }),
    )
    return Buffer.from(Payload ?? []).toString()
  }
  const attacks = Promise.all([attack('flood', ATTACKS), attack('prober', [])]).finally(() => {
    running = false
  })
  const [[flood, prober], meanwhile, pageLeaks] = await Promise.all([
    attacks,
    latencies(() => running),
    hostilePage(() => running),
  ])
  clearInterval(watch)
  const said = (text: string) => (text.startsWith('{"counts"') ? (JSON.parse(text) as Said) : undefined)
  const found = said(prober)
  if (found === undefined) throw new Error(`the prober failed: ${prober}`)
  const leaks = [...found.leaks, ...(said(flood)?.leaks ?? [])]
  const did = Object.entries({ ...said(flood)?.counts, ...found.counts }).map(([name, count]) => `${count} × ${name}`)
  const row = (share: number, name: string) => {
    const [one, other] = [percentile(before, share), percentile(meanwhile, share)]
    return `| ${name} of another function's warm invoke | ${one.toFixed(2)} ms | ${other.toFixed(2)} ms | ${(other / one).toFixed(2)} |`
  }
  process.stdout.write(`| a hostile function and a hostile page for ${SECONDS} s | before | meanwhile | |
| --- | --- | --- | --- |
${row(0.5, 'p50')}
${row(0.99, 'p99')}
| memory of the host | ${(memoryBefore / MIB).toFixed(0)} MiB | ${(memoryMost / MIB).toFixed(0)} MiB at most | +${((memoryMost - memoryBefore) / MIB).toFixed(0)} MiB |
| answers that must not be there | | | ${leaks.length + pageLeaks.length} |

What it did: ${said(flood) === undefined ? `a flood that ended with ${flood.slice(0, 200) || 'nothing'}, ` : ''}${did.join(', ')}.
${[...leaks, ...pageLeaks].map((leak) => `answered: ${leak}\n`).join('')}`)
} finally {
  hostile.destroy()
  victim.destroy()
  await setting.end()
}
