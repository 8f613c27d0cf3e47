/** Callers for the benchmarks: keep-alive, one request at a time each. */
import { Agent, request } from 'node:http'
import autocannon from 'autocannon'

const PAYLOAD = Buffer.from('{"name":"bench"}')

export interface Target {
  readonly name: string
  readonly url: string
}

/** Latencies in milliseconds of `count` requests, one after the other on one connection. */
export async function oneCaller({ url }: Target, count: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const latencies: number[] = []
  for (let i = 0; i < count; i++) {
    const began = performance.now()
    await call(url, agent)
    latencies.push(performance.now() - began)
  }
  agent.destroy()
  return latencies
}

function call(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { method: 'POST', agent, headers: { 'Content-Length': PAYLOAD.length } },
      (response) => {
        response.resume()
        response.on('end', () => {
          if (response.statusCode === 200) resolve()
          else reject(new Error(`${url} answered ${response.statusCode}`))
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(PAYLOAD)
  })
}

/** Requests per second of `connections` callers over `seconds`. @throws when one is not answered with 200 */
export async function throughput({ url, name }: Target, connections: number, seconds: number): Promise<number> {
  const result = await autocannon({ url, connections, duration: seconds, method: 'POST', body: PAYLOAD })
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${name}: ${result.non2xx} refusals and ${result.errors} errors at ${connections} callers`)
  }
  return result.requests.total / result.duration
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}
