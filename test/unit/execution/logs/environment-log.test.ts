import { expect, it } from 'vitest'
import { EnvironmentLog } from '../../../../src/execution/logs/environment-log.ts'
import { MemoryLogs } from '../fake-host.ts'

async function logged(output: string): Promise<string[]> {
  const store = new MemoryLogs()
  const log = new EnvironmentLog({
    store,
    stream: { account: '1', region: 'r', group: 'g', stream: 's' },
    maxMemoryBytes: () => Promise.resolve(0),
    keeps: () => true,
    dropped: () => [],
  })
  log.output(Buffer.from(output))
  await log.close()
  return store.lines
}

const NODE = '2026-01-05T10:00:00.000Z\tdf1d5f2f-1e3d-4a4e-9d0a-2c3f5b1a7e60\tINFO\t'

it('a carriage return of the function stays as it is: a progress bar is one event', async () => {
  expect(await logged('10%\r20%\r30%\nanother\rline\n')).toEqual(['10%\r20%\r30%', 'another\rline'])
})

it('CRLF ends one line', async () => {
  expect(await logged('one\r\ntwo\r\n')).toEqual(['one', 'two'])
})

it('a record of a runtime client has its newlines back', async () => {
  expect(await logged(`${NODE}a\rb\r\rc\n`)).toEqual([`${NODE}a\nb\n\nc`])
  expect(await logged('[ERROR] Problem: x\rTraceback (most recent call last):\r  File "f.py"\n')).toEqual([
    '[ERROR] Problem: x\nTraceback (most recent call last):\n  File "f.py"',
  ])
})

it('a record whose text has CRLF line ends is not double-spaced', async () => {
  expect(await logged(`${NODE}HTTP/1.1 200 OK\r\rHost: x\n`)).toEqual([`${NODE}HTTP/1.1 200 OK\nHost: x`])
})
