import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LogFiles, type LogFilesOptions } from '../../../src/telemetry/log-files.ts'
import { decodeName, encodeName } from '../../../src/telemetry/log-names.ts'
import type { StoredLogEvent } from '../../../src/telemetry/log-store.ts'

const ACCOUNT = '000000000000'
const REGION = 'us-east-1'
const GROUP = '/aws/lambda/hello'
const STREAM = '2026/01/05/[$LATEST]0c043fa44889969a82ad0b09bd15493d'

let directory: string
let logs: LogFiles
const warnings: unknown[] = []

function open(options: Partial<LogFilesOptions> = {}): LogFiles {
  logs = new LogFiles({ directory, log: { warn: (fields: unknown) => void warnings.push(fields) }, ...options })
  return logs
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hearth-logs-'))
  warnings.length = 0
  open()
})
afterEach(async () => {
  await logs.close()
  await rm(directory, { recursive: true, force: true })
})

function name(stream = STREAM, group = GROUP) {
  return { account: ACCOUNT, region: REGION, group, stream }
}

function read(options: { since?: number; limit?: number } = {}): Promise<StoredLogEvent[]> {
  return logs.read(ACCOUNT, REGION, GROUP, options)
}

const groupPath = () => join(directory, ACCOUNT, REGION, encodeName(GROUP))
const filePath = () => join(groupPath(), `${encodeName(STREAM)}.jsonl`)

describe('names', () => {
  it.each([GROUP, STREAM, '.', '..', '', 'a.b', 'ü/€', '%41', 'a~b', '\0', '../../etc'])(
    '%j is one file name, and back',
    (text) => {
      const encoded = encodeName(text)
      expect(encoded).toMatch(/^[A-Za-z0-9_%-]+$/)
      expect(decodeName(encoded)).toBe(text)
    },
  )

  it('too long for a file stay different and begin readably', () => {
    const long = `/aws/lambda/${'x'.repeat(500)}`
    expect(encodeName(long).length).toBeLessThanOrEqual(200)
    expect(encodeName(`${long}1`)).not.toBe(encodeName(`${long}2`))
    expect(decodeName(encodeName(long))).toMatch(/^\/aws\/lambda\/x+$/)
  })
})

describe('append and read', () => {
  it('gives back what was appended, with its stream, without waiting for the disk', async () => {
    logs.append(name(), [
      { timestamp: 2, message: 'START RequestId: x Version: $LATEST' },
      { timestamp: 3, message: 'tab\t, quote ", \r and ü' },
    ])
    expect(await read()).toEqual([
      { stream: STREAM, timestamp: 2, message: 'START RequestId: x Version: $LATEST' },
      { stream: STREAM, timestamp: 3, message: 'tab\t, quote ", \r and ü' },
    ])
  })

  it('remembers a bounded number of groups, and goes on with the files of the others', async () => {
    for (const round of [1, 2]) {
      for (let n = 0; n < 600; n++)
        logs.append(name(STREAM, `group-${n}`), [{ timestamp: round, message: `m${round}` }])
      await logs.flush()
    }
    expect(logs.groups).toBeLessThanOrEqual(512)
    for (const n of [0, 599]) {
      const events = await logs.read(ACCOUNT, REGION, `group-${n}`, {})
      expect(events.map(({ message }) => message)).toEqual(['m1', 'm2'])
    }
  })

  it('writes by itself after a moment', async () => {
    logs.append(name(), [{ timestamp: 1, message: 'm' }])
    let text = ''
    while (text === '') text = await readFile(filePath(), 'utf8').catch(() => '')
    expect(text).toBe('[1,"m"]\n')
  })

  it('merges the streams of a group by time, keeping the order within one time', async () => {
    logs.append(name('a'), [
      { timestamp: 1, message: 'a1' },
      { timestamp: 5, message: 'a5' },
    ])
    logs.append(name('b'), [
      { timestamp: 3, message: 'b3' },
      { timestamp: 5, message: 'first' },
      { timestamp: 5, message: 'second' },
    ])
    const messages = (await read()).map(({ message }) => message)
    expect(messages.filter((message) => message !== 'a5')).toEqual(['a1', 'b3', 'first', 'second'])
    expect(messages.indexOf('a5')).toBeGreaterThan(1)
  })

  it('returns events from `since` on, and the newest when there is a limit', async () => {
    const now = Date.now()
    logs.append(
      name(),
      Array.from({ length: 100 }, (_, i) => ({ timestamp: now + i, message: `${i}` })),
    )
    expect((await read({ since: now + 97 })).map(({ message }) => message)).toEqual(['97', '98', '99'])
    expect((await read({ limit: 2 })).map(({ message }) => message)).toEqual(['98', '99'])
    expect(await read({ limit: 0 })).toEqual([])
  })

  it('keeps groups, regions and accounts apart', async () => {
    logs.append(name(STREAM, '/aws/lambda/other'), [{ timestamp: 1, message: 'other' }])
    logs.append({ ...name(), region: 'eu-west-1' }, [{ timestamp: 1, message: 'region' }])
    logs.append({ ...name(), account: '111111111111' }, [{ timestamp: 1, message: 'account' }])
    expect(await read()).toEqual([])
    expect(await logs.read(ACCOUNT, REGION, 'never', {})).toEqual([])
  })

  it('never leaves its directory, whatever the names are', async () => {
    logs.append({ account: '..', region: '../..', group: '../../x', stream: '../../../y' }, [
      { timestamp: 1, message: 'm' },
    ])
    await logs.flush()
    expect(await readdir(directory)).toEqual(['%2E%2E'])
  })
})

describe('after a crash', () => {
  it('skips a torn last line and does not spoil the one that follows it', async () => {
    logs.append(name(), [{ timestamp: 1, message: 'whole' }])
    await logs.close()
    await appendFile(filePath(), '[2,"tor')
    open().append(name(), [{ timestamp: 3, message: 'after' }])
    expect((await read()).map(({ message }) => message)).toEqual(['whole', 'after'])
  })

  it('skips lines of other content', async () => {
    logs.append(name(), [{ timestamp: 1, message: 'good' }])
    await logs.close()
    await appendFile(filePath(), 'null\n{}\n["1","x"]\n[1]\n\0\0\0\n')
    expect((await open().read(ACCOUNT, REGION, GROUP, {})).map(({ message }) => message)).toEqual(['good'])
  })
})

describe('bounds', () => {
  it('drops and counts what does not fit into memory', async () => {
    open({ bufferBytes: 1000 })
    for (let i = 0; i < 100; i++) logs.append(name(), [{ timestamp: i, message: 'x'.repeat(36) }])
    expect(logs.dropped).toBe(90)
    expect((await read()).length).toBe(10)
    expect(warnings).toEqual([{ dropped: 90 }])
    logs.append(name(), [{ timestamp: 200, message: 'fits again' }])
    expect((await read()).at(-1)?.message).toBe('fits again')
    expect(logs.dropped).toBe(90)
  })

  it('removes the oldest streams of a group that holds too much', async () => {
    open({ groupBytes: 10_000 })
    for (let i = 0; i < 30; i++) {
      logs.append(name(`stream-${i}`), [{ timestamp: i, message: 'x'.repeat(900) }])
      await logs.flush()
    }
    const kept = (await read()).map(({ timestamp }) => timestamp)
    expect(kept.length).toBeLessThanOrEqual(11)
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => 30 - kept.length + i))
    let bytes = 0
    for (const file of await readdir(groupPath())) bytes += (await stat(join(groupPath(), file))).size
    expect(bytes).toBeLessThanOrEqual(10_000)
  })

  it('removes the beginning of a single stream that is larger than its group may be', async () => {
    open({ groupBytes: 10_000 })
    for (let i = 0; i < 100; i++) {
      logs.append(name(), [{ timestamp: i, message: 'x'.repeat(300) }])
      await logs.flush()
    }
    const kept = (await read()).map(({ timestamp }) => timestamp)
    expect(kept.at(-1)).toBe(99)
    expect(kept.length).toBeGreaterThan(20)
    expect(kept.length).toBeLessThan(40)
  })

  it('counts what earlier processes left', async () => {
    open({ groupBytes: 10_000 })
    logs.append(name('old'), [{ timestamp: 1, message: 'x'.repeat(8000) }])
    await logs.close()
    open({ groupBytes: 10_000 }).append(name('new'), [{ timestamp: 2, message: 'x'.repeat(8000) }])
    expect((await read()).map(({ stream }) => stream)).toEqual(['new'])
  })

  it('removes the oldest of too many streams', async () => {
    open({ groupFiles: 10 })
    for (let i = 0; i < 20; i++) {
      logs.append(name(`s${i}`), [{ timestamp: i, message: 'm' }])
      await logs.flush()
    }
    expect((await readdir(groupPath())).length).toBeLessThanOrEqual(10)
    expect((await read()).at(-1)?.stream).toBe('s19')
  })
})

describe('a disk that refuses', () => {
  it('costs the lines, not the host', async () => {
    await writeFile(join(directory, ACCOUNT), 'a file in the way')
    logs.append(name(), [{ timestamp: 1, message: 'lost' }])
    await logs.flush()
    expect(logs.dropped).toBe(1)
    expect(warnings.length).toBe(2)
    await rm(join(directory, ACCOUNT))
    logs.append(name(), [{ timestamp: 2, message: 'kept' }])
    expect((await read()).map(({ message }) => message)).toEqual(['kept'])
  })

  it('is told of when it begins and when it is over, not at each write', async () => {
    await writeFile(join(directory, ACCOUNT), 'a file in the way')
    for (let i = 0; i < 5; i++) {
      logs.append(name(), [{ timestamp: 1, message: 'lost' }])
      await logs.flush()
    }
    expect(warnings).toHaveLength(2)
    await rm(join(directory, ACCOUNT))
    logs.append(name(), [{ timestamp: 2, message: 'kept' }])
    await logs.flush()
    expect(warnings.slice(2)).toEqual([{ dropped: 4 }])
  })

  it('and kept half of a line does not spoil the next one', async () => {
    logs.append(name(), [{ timestamp: 1, message: 'whole' }])
    await logs.flush()
    const whole = await readFile(filePath(), 'utf8')
    await rm(filePath())
    await mkdir(filePath())
    logs.append(name(), [{ timestamp: 2, message: 'lost' }])
    await logs.flush()
    await rmdir(filePath())
    await writeFile(filePath(), `${whole}[2,"lo`)
    logs.append(name(), [{ timestamp: 3, message: 'kept' }])
    expect((await read()).map(({ message }) => message)).toEqual(['whole', 'kept'])
  })

  it('from which somebody removed the files is written to anew', async () => {
    logs.append(name(), [{ timestamp: 1, message: 'removed' }])
    await logs.flush()
    await rm(join(directory, ACCOUNT), { recursive: true })
    logs.append(name(), [{ timestamp: 2, message: 'kept' }])
    await logs.flush()
    logs.append(name(), [{ timestamp: 3, message: 'too' }])
    expect((await read()).map(({ message }) => message)).toEqual(['kept', 'too'])
    expect(logs.dropped).toBe(0)
  })
})

describe('follow', () => {
  it('gives the events of its group as they are appended, until it is aborted', async () => {
    const abort = new AbortController()
    logs.append(name(), [{ timestamp: 1, message: 'before' }])
    const following = logs.follow(ACCOUNT, REGION, GROUP, abort.signal)
    logs.append(name(), [{ timestamp: 2, message: 'one' }])
    logs.append(name(STREAM, 'other'), [{ timestamp: 3, message: 'other group' }])
    const seen: StoredLogEvent[] = []
    for await (const event of following) {
      seen.push(event)
      if (event.message === 'one') logs.append(name('b'), [{ timestamp: 4, message: 'two' }])
      else abort.abort()
    }
    expect(seen).toEqual([
      { stream: STREAM, timestamp: 2, message: 'one' },
      { stream: 'b', timestamp: 4, message: 'two' },
    ])
  })

  it('ends at an abort while nothing happens, and when the store is closed', async () => {
    const abort = new AbortController()
    const ended = (async () => {
      for await (const _ of logs.follow(ACCOUNT, REGION, GROUP, abort.signal));
    })()
    const other = (async () => {
      for await (const _ of logs.follow(ACCOUNT, REGION, GROUP, new AbortController().signal));
    })()
    await new Promise((resolve) => setImmediate(resolve))
    abort.abort()
    await ended
    await logs.close()
    await other
    for await (const _ of logs.follow(ACCOUNT, REGION, GROUP, AbortSignal.abort())) expect.unreachable()
  })

  it('lets a slow reader lose the oldest events, not the host its memory', async () => {
    const abort = new AbortController()
    const following = logs.follow(ACCOUNT, REGION, GROUP, abort.signal)
    for (let i = 0; i < 50_000; i++) logs.append(name(), [{ timestamp: i, message: 'm' }])
    const seen: number[] = []
    for await (const { timestamp } of following) {
      seen.push(timestamp)
      if (timestamp === 49_999) break
    }
    expect(seen.length).toBeLessThanOrEqual(10_000)
    expect(seen.at(-1)).toBe(49_999)
  })
})
