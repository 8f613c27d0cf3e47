import { once } from 'node:events'
import { Writable } from 'node:stream'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { invitation } from '../../../src/cli/commands/start.ts'
import { createHostLog, readable } from '../../../src/cli/host-log.ts'
import { listenForStop } from '../../../src/cli/stop-signals.ts'

describe('stop signals', () => {
  const before = process.listeners('SIGINT')
  afterEach(() => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      for (const listener of process.listeners(signal)) if (!before.includes(listener)) process.off(signal, listener)
    }
  })

  it('stop once, and at once the second time, but take the echo of npm for the same key press', async () => {
    let now = 0
    const kill = vi.fn()
    const { stopped } = listenForStop(kill, () => now)
    process.emit('SIGINT', 'SIGINT')
    expect(await stopped).toBe('SIGINT')
    now = 5
    process.emit('SIGINT', 'SIGINT')
    expect(kill).not.toHaveBeenCalled()
    now = 2000
    process.emit('SIGINT', 'SIGINT')
    expect(kill).toHaveBeenCalledOnce()
  })
})

describe('the log of the host', () => {
  it('is JSON lines for machines and one line of text for people', () => {
    const lines: string[] = []
    const out = { write: (line: string) => lines.push(line) > 0 } as unknown as NodeJS.WritableStream
    createHostLog({ logLevel: 'warn', logFormat: 'json' }, out).info('not this')
    createHostLog({ logLevel: 'info', logFormat: 'json' }, out).warn({ port: 1 }, 'that')
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { level: 40, time: expect.any(Number), port: 1, msg: 'that' },
    ])
    expect(readable('{"level":50,"time":0,"msg":"no","err":{"message":"m","stack":"at x"},"id":"a"}')).toMatch(
      /^\d\d:\d\d:\d\d ERROR no id=a\nat x\n$/,
    )
  })
})

describe('the log of the host whose reader has gone', () => {
  it.each(['text', 'json'] as const)('goes on: %s', async (logFormat) => {
    const gone = new Writable({ write: (_chunk, _encoding, done) => done(new Error('write EPIPE')) })
    const failed = once(gone, 'error')
    const log = createHostLog({ logLevel: 'info', logFormat }, gone)
    log.info('first')
    await failed
    // A stream that fails without a listener would end the process, and this test with it.
    log.info('second')
    await new Promise((done) => setImmediate(done))
    expect(gone.destroyed).toBe(true)
  })
})

describe('the invitation', () => {
  it('is a command that works wherever it is pasted', () => {
    expect(invitation('http://127.0.0.1:9000', 'us-east-1', 'hello')).toContain(
      `echo '{"name":"you"}' | aws lambda invoke --endpoint-url http://127.0.0.1:9000 --region us-east-1 --function-name hello --payload fileb:///dev/stdin /dev/stdout`,
    )
  })
})
