import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { failure } from '../../../src/cli/commands/invoke.ts'
import { timeAgo } from '../../../src/cli/commands/shared.ts'
import { createProgram, main } from '../../../src/cli/main.ts'
import { type FakeHost, fakeHost, type Reply } from './fake-host.ts'

let out = ''
let err = ''
let host: FakeHost
let reply: (asked: { method: string; path: string; body: string }) => Reply
let folder: string

beforeEach(async () => {
  out = ''
  err = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text)
    return true
  })
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += String(text)
    return true
  })
  host = await fakeHost((asked) => reply(asked))
  folder = mkdtempSync(join(tmpdir(), 'hearth-cli-'))
  process.exitCode = undefined
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_REGION', 'AWS_DEFAULT_REGION']) vi.stubEnv(name, undefined)
})
afterEach(async () => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  process.exitCode = undefined
  await host.close()
  rmSync(folder, { recursive: true })
})

const hearth = (...args: string[]) => main([...args, '--endpoint-url', host.url])
const hello = {
  FunctionName: 'hello',
  Runtime: 'nodejs22.x',
  Handler: 'index.handler',
  MemorySize: 128,
  Timeout: 3,
  State: 'Active',
  CodeSha256: 'x',
  LastModified: '2026-01-02T03:04:05.000+0000',
}

describe('every command', () => {
  const named = (command: Command, above = ''): (readonly [string, Command])[] => {
    const name = `${above}${command.name()}`
    return [[name, command], ...command.commands.flatMap((child) => named(child, `${name} `))]
  }

  it.each(named(createProgram()))('%s has help with an example, and --json', (_name, command) => {
    if (command.commands.length === 0) expect(command.options.map((option) => option.long)).toContain('--json')
    let help = ''
    command.configureOutput({ writeOut: (text) => (help += text) })
    command.outputHelp()
    expect(help).toMatch(/Examples?:\n {2}\$ .*hearth /)
  })
})

describe('hearth invoke', () => {
  it('prints what the function answered, byte for byte', async () => {
    reply = () => ({ body: '{"a" :1}', headers: { 'X-Amz-Executed-Version': '$LATEST' } })
    expect(await hearth('invoke', 'hello', '{"n":1}', '--qualifier', 'live')).toBe(0)
    expect(out).toBe('{"a" :1}')
    expect(host.asked[0]).toMatchObject({
      method: 'POST',
      path: '/2015-03-31/functions/hello/invocations?Qualifier=live',
      body: '{"n":1}',
      headers: { 'x-amz-invocation-type': 'RequestResponse' },
    })
    expect(host.asked[0]?.headers.authorization).toBeUndefined()
  })

  it.each(['mars', 'US-EAST-1', 'us-east-12'])('refuses a region that the host would not know: %s', async (region) => {
    expect(await hearth('ls', '--region', region)).toBe(1)
    expect(err).toBe(`error: --region must look like us-east-1; it is "${region}".\n`)
  })

  it('names account and region in a credential scope when they are chosen', async () => {
    reply = () => ({})
    await hearth('invoke', 'hello', '--region', 'eu-west-1', '--account', '111122223333')
    expect(host.asked[0]?.headers.authorization).toMatch(
      /Credential=[A-Z]+111122223333\/\d{8}\/eu-west-1\/lambda\/aws4_request/,
    )
  })

  it('tells a function error readably and ends with status 2', async () => {
    reply = () => ({
      headers: { 'X-Amz-Function-Error': 'Unhandled' },
      body: {
        errorType: 'TypeError',
        errorMessage: 'no',
        trace: ['TypeError: no', '    at handler (/var/task/index.mjs:1:1)'],
      },
    })
    expect(await hearth('invoke', 'hello')).toBe(2)
    expect(out).toBe('')
    expect(err).toBe('The function failed (Unhandled): TypeError: no\n  at handler (/var/task/index.mjs:1:1)\n')
  })

  it('shows the tail of the log with --log, and everything with --json', async () => {
    reply = () => ({
      headers: { 'X-Amz-Log-Result': Buffer.from('START\nEND\n').toString('base64'), 'x-amzn-RequestId': 'r1' },
      body: { a: 1 },
    })
    await hearth('invoke', 'hello', '--log')
    expect(err).toBe('START\nEND\n')
    expect(host.asked[0]?.headers['x-amz-log-type']).toBe('Tail')
    out = ''
    await hearth('invoke', 'hello', '--log', '--json')
    expect(JSON.parse(out)).toEqual({ statusCode: 200, requestId: 'r1', payload: { a: 1 }, log: 'START\nEND\n' })
  })

  it('queues an event with --async, and reads the payload from a file', async () => {
    reply = () => ({ status: 202, headers: { 'x-amzn-RequestId': 'r1' }, body: '' })
    writeFileSync(join(folder, 'event.json'), '{"from":"file"}')
    expect(await hearth('invoke', 'hello', `@${join(folder, 'event.json')}`, '--async')).toBe(0)
    expect(host.asked[0]).toMatchObject({ body: '{"from":"file"}', headers: { 'x-amz-invocation-type': 'Event' } })
    expect(err).toContain('Queued, request r1')
    expect(await hearth('invoke', 'hello', '@/nowhere')).toBe(1)
    expect(err).toContain('The payload cannot be read')
  })

  it('says what to do when the host refuses, and when there is no host', async () => {
    reply = () => ({
      status: 404,
      headers: { 'x-amzn-ErrorType': 'ResourceNotFoundException' },
      body: { Message: 'Function not found: arn', Type: 'User' },
    })
    expect(await hearth('invoke', 'nope')).toBe(1)
    expect(err).toContain('ResourceNotFoundException: Function not found: arn')
    expect(err).toContain('hearth ls')
    reply = () => ({ status: 500, headers: { 'x-amzn-ErrorType': 'ServiceException' }, body: { Message: 'An error' } })
    err = ''
    expect(await hearth('invoke', 'hello')).toBe(1)
    expect(err).toBe('error: ServiceException: An error\nThe output of the host has the reason.\n')
    err = ''
    expect(await main(['invoke', 'hello', '--endpoint-url', 'http://127.0.0.1:1'])).toBe(1)
    expect(err).toContain('No host answers at http://127.0.0.1:1.')
    expect(err).toContain('npm start')
  })

  it('prints bytes that are no text as they are, and as base64 with --json', async () => {
    const bytes = Buffer.from([0x89, 0x50, 0xff, 0x00])
    const chunks: Buffer[] = []
    vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
      chunks.push(Buffer.from(chunk))
      return true
    })
    reply = () => ({ body: bytes })
    expect(await hearth('invoke', 'hello')).toBe(0)
    expect(Buffer.concat(chunks)).toEqual(bytes)
    chunks.splice(0)
    expect(await hearth('invoke', 'hello', '--json')).toBe(0)
    expect(JSON.parse(Buffer.concat(chunks).toString())).toMatchObject({ payloadBase64: bytes.toString('base64') })
  })

  it('shows the refusal of a host that answers before it has the whole payload', async () => {
    const server = createServer((request, response) => {
      const body = '{"Message": "Request must be smaller than 6291456 bytes"}'
      response.writeHead(413, { 'x-amzn-ErrorType': 'RequestEntityTooLargeException' }).end(body)
      request.resume()
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    try {
      writeFileSync(join(folder, 'large'), Buffer.alloc(20_000_000, 'a'))
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      expect(await main(['invoke', 'hello', `@${join(folder, 'large')}`, '--endpoint-url', url])).toBe(1)
      expect(err).toContain('RequestEntityTooLargeException: Request must be smaller than 6291456 bytes')
    } finally {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    }
  })

  it('lets no control character of a function through to the terminal', () => {
    expect(failure('Unhandled', '{"errorType":"E","errorMessage":"a\\u001b[2Jb"}')).toContain('a\ufffd[2Jb')
  })
})

describe('hearth deploy', () => {
  const functionFolder = () => {
    writeFileSync(join(folder, 'index.mjs'), 'export const handler = async () => 1')
    return folder
  }

  it('creates a function that is not there and waits until it is active', async () => {
    let created = false
    let polls = 0
    reply = ({ method }) => {
      if (method === 'POST') {
        created = true
        return { status: 201, body: { ...hello, State: 'Pending' } }
      }
      if (!created) return { status: 404, headers: { 'x-amzn-ErrorType': 'ResourceNotFoundException' }, body: {} }
      polls++
      return { body: { ...hello, State: polls < 3 ? 'Pending' : 'Active' } }
    }
    expect(
      await hearth('deploy', functionFolder(), '--name', 'hello', '--memory', '256', '--env', 'A=1', '--env', 'B=x=y'),
    ).toBe(0)
    const request = JSON.parse(host.asked.find((asked) => asked.method === 'POST')?.body ?? '{}')
    expect(request).toMatchObject({
      FunctionName: 'hello',
      Runtime: 'nodejs22.x',
      Handler: 'index.handler',
      MemorySize: 256,
      Environment: { Variables: { A: '1', B: 'x=y' } },
    })
    expect(Buffer.from(request.Code.ZipFile, 'base64').subarray(0, 2).toString()).toBe('PK')
    expect(polls).toBe(3)
    expect(out).toContain('created hello')
  })

  it('updates only what differs', async () => {
    const environment = { Environment: { Variables: { KEPT: '1' } } }
    reply = ({ method }) => ({ body: method === 'GET' ? { ...hello, ...environment } : hello })
    expect(
      await hearth(
        'deploy',
        functionFolder(),
        '--name',
        'hello',
        '--timeout',
        '9',
        '--memory',
        '128',
        '--env',
        'NEW=2',
      ),
    ).toBe(0)
    const puts = host.asked.filter((asked) => asked.method === 'PUT')
    expect(puts.map((asked) => asked.path)).toEqual([
      '/2015-03-31/functions/hello/configuration',
      '/2015-03-31/functions/hello/code',
    ])
    expect(JSON.parse(puts[0]?.body ?? '')).toEqual({ Timeout: 9, Environment: { Variables: { KEPT: '1', NEW: '2' } } })
    expect(out).toContain('updated hello')
  })

  it('stops with the reason when the function fails', async () => {
    reply = () => ({ body: { ...hello, State: 'Failed', StateReason: 'no image' } })
    expect(await hearth('deploy', functionFolder(), '--name', 'hello')).toBe(1)
    expect(err).toContain('The function hello failed: no image')
  })
})

describe('hearth ls, rm, logs, config', () => {
  /** As on AWS: the list leaves out the states, GetFunctionConfiguration has them. */
  const listed = (...functions: object[]) => {
    const { State: _, ...plain } = hello
    const all = functions.map((one, at) => ({ ...plain, FunctionName: `f${at}`, ...one }))
    reply = ({ path }) => {
      const name = /functions\/(\w+)\/configuration/.exec(path)?.[1]
      if (name !== undefined) return { body: all.find((one) => one.FunctionName === name) }
      return { body: { Functions: all.map(({ FunctionName }) => ({ ...plain, FunctionName })) } }
    }
  }

  it('shows the state that each function has, and says when none is known', async () => {
    listed({ State: 'Failed' }, { State: 'Active', LastUpdateStatus: 'Failed' }, { State: 'Pending' }, {})
    expect(await hearth('ls')).toBe(0)
    const rows = out.split('\n').map((row) => row.split(/\s{2,}/))
    expect(rows.slice(1, 5).map((row) => row[5])).toEqual(['Failed', 'Active, update failed', 'Pending', '?'])
    out = ''
    expect(await hearth('ls', '--json')).toBe(0)
    expect(JSON.parse(out)).toMatchObject([{ State: 'Failed' }, { LastUpdateStatus: 'Failed' }, {}, {}])
  })

  it('lists functions of all pages, sorted', async () => {
    reply = ({ path }) => {
      const name = /functions\/(\w+)\/configuration/.exec(path)?.[1]
      if (name !== undefined) return { body: { ...hello, FunctionName: name } }
      return {
        body: path.includes('Marker=m')
          ? { Functions: [{ ...hello, FunctionName: 'alpha' }] }
          : { Functions: [hello], NextMarker: 'm' },
      }
    }
    expect(await hearth('ls')).toBe(0)
    expect(
      out
        .split('\n')
        .slice(0, 3)
        .map((line) => line.split(/\s+/)[0]),
    ).toEqual(['NAME', 'alpha', 'hello'])
  })

  it('shows the queue by function, what waits for destinations, and a count that does not add up', async () => {
    const counts = { enqueued: 9, waiting: 3, claimed: 1, done: 4, dead: 1, discarded: 0, drift: 0, oldestSeconds: 90 }
    const functions = [{ account: '1', region: 'us-east-1', function: 'orders', ...counts }]
    const targets = [{ target: 'arn:aws:sqs:::dead', waiting: 2, oldestSeconds: 7200 }]
    const deliveries = { waiting: 2, delivered: 1, abandoned: 1, targets }
    const space = { usedBytes: 10, maxBytes: 100 }
    reply = () => ({ body: { ...counts, ...space, functions, deliveries } })
    expect(await hearth('queue')).toBe(0)
    const rows = out.split('\n').map((line) => line.split(/\s{2,}/))
    expect(rows[1]).toEqual(['orders', '3', '1', '4', '1', '0', '9', '90 s'])
    expect(rows).toContainEqual(['2', '2 h', 'arn:aws:sqs:::dead'])
    expect(err).toContain('1 deliveries were given up')
    expect(err).not.toContain('is full')
    reply = () => ({
      body: {
        ...counts,
        usedBytes: 101,
        maxBytes: 100,
        drift: 1,
        functions: [],
        deliveries: { ...deliveries, targets: [] },
      },
    })
    expect(await hearth('queue')).toBe(0)
    expect(err).toContain('differ by 1')
    expect(err).toContain('The queue is full: the host refuses new events')
  })

  it('deletes functions', async () => {
    reply = () => ({ status: 204, body: '' })
    expect(await hearth('rm', 'a', 'b', '--json')).toBe(0)
    expect(host.asked.map((asked) => `${asked.method} ${asked.path}`)).toEqual([
      'DELETE /2015-03-31/functions/a',
      'DELETE /2015-03-31/functions/b',
    ])
    expect(JSON.parse(out)).toEqual({ deleted: ['a', 'b'] })
  })

  it('prints log lines with their time', async () => {
    reply = () => ({
      body: '{"timestamp":0,"message":"one","stream":"s"}\n{"timestamp":1,"message":"two","stream":"s"}\n',
    })
    expect(await hearth('logs', 'hello', '--limit', '2')).toBe(0)
    expect(out).toBe('1970-01-01T00:00:00.000Z one\n1970-01-01T00:00:00.001Z two\n')
    expect(host.asked[0]?.path).toBe('/_hearth/logs?function=hello&limit=2')
  })

  it('look where the access key leads, unless --account says otherwise', async () => {
    reply = () => ({ body: '{"timestamp":0,"message":"one","stream":"s"}\n' })
    const scope = () =>
      /Credential=(\w+)\/\d{8}\/([\w-]+)\//.exec(host.asked.at(-1)?.headers.authorization ?? '')?.slice(1)
    await hearth('logs', 'hello')
    expect(scope()).toBeUndefined()
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIA111122223333')
    await hearth('logs', 'hello')
    expect(scope()).toEqual(['AKIA111122223333', '-'])
    vi.stubEnv('AWS_REGION', 'eu-west-1')
    await hearth('logs', 'hello', '--account', '444455556666')
    expect(scope()).toEqual(['HEARTHCLI444455556666', 'eu-west-1'])
    vi.stubEnv('AWS_REGION', 'mars')
    await hearth('logs', 'hello', '--region', 'us-west-2')
    expect(scope()).toEqual(['AKIA111122223333', 'us-west-2'])
  })

  it('says why there is no log to print', async () => {
    reply = ({ path }) => (path.includes('/configuration') ? { body: hello } : { body: '' })
    expect(await hearth('logs', 'hello', '--since', '1h')).toBe(0)
    expect(err).toBe(
      'hello has not logged anything since then in the default region and account. --account and --region choose where to look.\n',
    )
    reply = ({ path }) => (path.includes('/configuration') ? { status: 404, body: {} } : { body: '' })
    expect(await hearth('logs', 'helo')).toBe(1)
    expect(err).toContain('There is no function helo and no log of it in the default region and account.')
    expect(err).toContain('--account and --region choose where to look')
    err = ''
    expect(await hearth('logs', '/aws/lambda/hello')).toBe(0)
    expect(err).toContain('/aws/lambda/hello has not logged anything yet in the default region and account.')
  })

  it('prints settings with their sources, and every problem on its own line', async () => {
    expect(await main(['config', '--json', '--port', '9100'])).toBe(0)
    expect(JSON.parse(out)).toContainEqual(
      expect.objectContaining({ name: 'port', value: 9100, source: 'flag --port' }),
    )
    expect(await main(['config', '--port', 'x', '--account-id', '1'])).toBe(1)
    expect(err.split('\n').slice(0, 2)).toEqual([
      'error: --port must be a whole number from 0 to 65535; it is "x"',
      'error: --account-id must be twelve digits; it is "1"',
    ])
  })

  it('says before the work that an export cannot be written', async () => {
    expect(await main(['runtimes', 'export', join(folder, 'nowhere', 'images.tar')])).toBe(1)
    expect(err).toMatch(/images\.tar cannot be written: ENOENT.*\nName a file in a folder/)
  })

  it('answers --help and --version with status 0, and an unknown command with 1', async () => {
    expect(await main(['--version'])).toBe(0)
    expect(await main(['deploy', '--help'])).toBe(0)
    expect(await main(['deplyo'])).toBe(1)
    expect(err).toContain("unknown command 'deplyo'")
  })
})

describe('timeAgo', () => {
  it('reads times ago and dates', () => {
    expect([timeAgo('90s', 1e6), timeAgo('10m', 1e6), timeAgo('1970-01-01T00:00:01Z')]).toEqual([
      910_000, 400_000, 1000,
    ])
    expect(() => timeAgo('yesterday')).toThrow('It must be a time ago')
  })
})
