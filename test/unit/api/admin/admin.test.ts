import { describe, expect, it } from 'vitest'
import { createAdmin, type Health } from '../../../../src/api/admin/admin.ts'
import type { LogStore, StoredLogEvent } from '../../../../src/telemetry/log-store.ts'

const event = (timestamp: number, message: string): StoredLogEvent => ({ timestamp, message, stream: 's' })

/** Holds events in memory; `push` wakes whoever follows. */
function memoryLogs(stored: StoredLogEvent[] = []) {
  const asked: unknown[][] = []
  let wake: (event: StoredLogEvent) => void = () => {}
  const store: LogStore = {
    append: () => {},
    read: async (...args) => {
      asked.push(args)
      return stored.slice(-args[3].limit!)
    },
    async *follow(_account, _region, _group, signal) {
      const pending: StoredLogEvent[] = []
      let resume: () => void = () => {}
      wake = (one) => {
        pending.push(one)
        resume()
      }
      signal.addEventListener('abort', () => resume())
      while (!signal.aborted) {
        const next = pending.shift()
        if (next) yield next
        else await new Promise<void>((done) => (resume = done))
      }
    },
    flush: async () => {},
    close: async () => {},
  }
  return { store, asked, push: (one: StoredLogEvent) => wake(one) }
}

function admin(logs = memoryLogs().store, health: Health = { ready: true, checks: { engine: 'ok' } }) {
  return createAdmin({
    health: async () => health,
    config: () => [{ name: 'port', value: 9000, source: 'default' }],
    environments: () => [{ id: 'e1' }],
    metrics: async () => 'hearth_invokes_total 1\n',
    queue: async () => ({ waiting: 3 }),
    runtimes: async () => [{ runtime: 'nodejs22.x' }],
    logs,
    caller: { account: '000000000000', region: 'us-east-1', accessKeys: { mine: '333333333333' } },
  })
}

const ask = (path: string, app = admin(), headers: Record<string, string> = {}) =>
  app.request(path, { headers: { Host: '127.0.0.1:9000', ...headers } })

describe('the admin API', () => {
  it('answers health with 200 only when invokes can be served', async () => {
    expect((await ask('/health')).status).toBe(200)
    const sick = await ask('/health', admin(undefined, { ready: false, checks: { engine: 'no answer' } }))
    expect(sick.status).toBe(503)
    expect(await sick.json()).toEqual({ ready: false, checks: { engine: 'no answer' } })
  })

  it('shows settings, environments, runtimes and metrics', async () => {
    expect(await (await ask('/config')).json()).toEqual([{ name: 'port', value: 9000, source: 'default' }])
    expect(await (await ask('/environments')).json()).toEqual([{ id: 'e1' }])
    expect(await (await ask('/runtimes')).json()).toEqual([{ runtime: 'nodejs22.x' }])
    const metrics = await ask('/metrics')
    expect(metrics.headers.get('content-type')).toContain('text/plain; version=0.0.4')
    expect(await metrics.text()).toBe('hearth_invokes_total 1\n')
  })

  it('answers other paths with 404 and other methods with 405', async () => {
    expect((await ask('/other')).status).toBe(404)
    expect((await admin().request('/health', { method: 'POST', headers: { Host: 'localhost' } })).status).toBe(405)
  })

  it('gives the newest events of a group as lines of JSON', async () => {
    const logs = memoryLogs([event(1, 'one'), event(2, 'two'), event(3, 'three')])
    const answer = await ask('/logs?function=hello&since=1&limit=2&region=eu-west-1', admin(logs.store))
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson')
    expect(
      (await answer.text())
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).message),
    ).toEqual(['two', 'three'])
    expect(logs.asked).toEqual([['000000000000', 'eu-west-1', '/aws/lambda/hello', { since: 1, limit: 2 }]])
  })

  it('gives the logs of the account that the access key names, unless the query names one', async () => {
    const logs = memoryLogs([])
    const signedBy = (key: string) => ({
      authorization: `AWS4-HMAC-SHA256 Credential=${key}/20260102/eu-west-1/lambda/aws4_request, SignedHeaders=host, Signature=0`,
    })
    await ask('/logs?function=hello', admin(logs.store), signedBy('AKIA111122223333'))
    await ask('/logs?function=hello', admin(logs.store), signedBy('mine'))
    await ask('/logs?function=hello&account=444455556666', admin(logs.store), signedBy('mine'))
    expect((logs.asked as unknown[][]).map(([account, region]) => [account, region])).toEqual([
      ['111122223333', 'eu-west-1'],
      ['333333333333', 'eu-west-1'],
      ['444455556666', 'eu-west-1'],
    ])
  })

  it('follows a group: what was there, then what comes, nothing twice', async () => {
    const now = Date.now()
    const logs = memoryLogs([event(now, 'old')])
    const answer = await ask('/logs?function=hello&follow=1', admin(logs.store))
    logs.push(event(now, 'old'))
    logs.push(event(now, 'new'))
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    while (!text.includes('new')) text += (await reader.read()).value
    await reader.cancel()
    expect(
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).message),
    ).toEqual(['old', 'new'])
  })

  it.each([
    ['/logs', 'Name the logs to read'],
    ['/logs?function=../x', 'function must be'],
    ['/logs?group=a%00b', 'group must be'],
    ['/logs?function=a&since=x', 'since must be'],
    ['/logs?function=a&limit=0', 'limit must be'],
    ['/logs?function=a&account=1', 'account must be'],
    ['/logs?function=a&follow=yes', 'follow must be'],
  ])('refuses %s and says what is wrong', async (path, message) => {
    const answer = await ask(path)
    expect(answer.status).toBe(400)
    expect(((await answer.json()) as { message: string }).message).toContain(message)
  })
})
