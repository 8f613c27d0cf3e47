import { readdirSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join, resolve } from 'node:path'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApi } from '../../../src/api/app.ts'
import { DOORS, type Door, doorOf, LISTENERS, LISTENS_FOR_NOBODY, type Outcome } from '../../../src/api/doors.ts'
import { doorsDocument } from '../../../src/api/doors-document.ts'
import { type HttpServer, serveHttp } from '../../../src/api/http/server.ts'
import { Uploads } from '../../../src/api/http/uploads.ts'
import type { InvokeHandler } from '../../../src/api/invoke/invoke.ts'
import { apiListener } from '../../../src/api/listener.ts'
import { SandboxApi } from '../../../src/api/sandbox-api.ts'
import type { ControlPlane } from '../../../src/control/control-plane.ts'
import { RuntimeApiListeners } from '../../../src/runtime-api/listener.ts'
import { ROUTES } from '../../../src/runtime-api/routes.ts'

const ROOT = resolve(import.meta.dirname, '../../..')
const SRC = join(ROOT, 'src')
const log = { error: () => {}, debug: () => {} }
const caller = { account: '111111111111', region: 'us-east-1' }
const session = { ...caller, role: 'arn:aws:iam::111111111111:role/r', functionName: 'f' }
const control = { functions: { list: async () => ({ items: [] }) } } as unknown as ControlPlane
const invoke: InvokeHandler = async () => ({ status: 200, headers: {}, body: '{}' })
const uploads = new Uploads()

const admin = new Hono().all('*', (c) => c.text("the operator's page"))
const codeLocation = { secret: new Uint8Array(32), code: {} as never, clock: () => 0 }
const api = createApi({ control, caller, invoke, invokeAsync: invoke, admin, uploads, codeLocation, log })
const sandboxApi = (mode: 'invoke' | 'all') =>
  new SandboxApi({ mode, control, invoke, invokeAsync: invoke, uploads, callsPerSecond: 0, clock: () => 0, log })

describe('the table of doors', () => {
  it('is what docs/doors.md says', () => {
    expect(readFileSync(join(ROOT, 'docs/doors.md'), 'utf8')).toBe(doorsDocument())
  })

  const withoutRow = (listener: Door['listener'], paths: readonly string[]) =>
    paths.filter((path) => path !== '/' && (doorOf(listener, path)?.paths.includes('*') ?? true))

  it('has a row for every route of the public port', () => {
    expect(api.routes.length).toBeGreaterThan(80)
    expect(
      withoutRow(
        'public',
        api.routes.map(({ path }) => path),
      ),
    ).toEqual([])
  })

  it('has a row for every route inside sandboxes', () => {
    const paths = [...ROUTES.map(({ path }) => path), ...sandboxApi('all').paths]
    expect(paths.length).toBeGreaterThan(80)
    expect(withoutRow('sandbox', paths)).toEqual([])
  })

  it('has every file that opens a listening socket', () => {
    const opening = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .filter((path) => /\.listen\(/.test(readFileSync(join(SRC, path), 'utf8')))
    const known = [...Object.values(LISTENERS).map(({ opens }) => opens), ...Object.keys(LISTENS_FOR_NOBODY)]
    expect(opening.sort()).toEqual(known.sort())
  })

  it('notices a path that has no row', () => {
    expect(withoutRow('public', ['/schedules/:name'])).toEqual(['/schedules/:name'])
  })
})

interface Answer {
  readonly status: number
  readonly text: string
}

function ask(url: string, { method, path }: { method: string; path: string }, headers = {}): Promise<Answer> {
  const { hostname, port } = new URL(url)
  return new Promise((answer, reject) => {
    const call = request({ agent: false, hostname, port, method, path, headers }, (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => answer({ status: response.statusCode ?? 0, text }))
    })
    call.on('error', reject)
    call.end(method === 'GET' ? undefined : '{}')
  })
}

function outcomeOf({ status, text }: Answer): Outcome {
  if (status === 404 && /^404 page not found|There is no operation/.test(text)) return 'absent'
  return status === 403 && /is not authorized|is not this|Pages /.test(text) ? 'refused' : 'answers'
}

/** What a browser sends for a page of another origin: one that says so, one that may not read, one whose name was made to point here. */
const PAGES = [
  { origin: 'https://evil.example' },
  { origin: 'null', 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
]

const sampled = (listener: Door['listener']) =>
  DOORS.flatMap(({ sample, ...door }) =>
    sample === undefined || door.listener !== listener ? [] : [{ ...door, sample }],
  )

describe('the public port', () => {
  let server: HttpServer
  beforeAll(async () => {
    server = await serveHttp(apiListener(api, { invoke, caller, log }), { host: '127.0.0.1', port: 0 })
  })
  afterAll(() => server.close(0))

  it.each(sampled('public').map((door) => [door.serves, door] as const))('%s: closed to pages', async (_, door) => {
    expect(outcomeOf(await ask(server.url, door.sample))).toBe('answers')
    for (const page of PAGES) expect(outcomeOf(await ask(server.url, door.sample, page))).toBe(door.page)
  })
})

describe.each(['invoke', 'all', 'off'] as const)('the listener of a sandbox in mode %s', (mode) => {
  const listeners = new RuntimeApiListeners({ admit: async () => {}, chunk: 1, log })
  let url: string
  beforeAll(async () => {
    const { address } = await listeners.open({
      hostAddress: '127.0.0.1',
      peerAddress: '127.0.0.1',
      observer: { ready: () => {}, initError: () => {}, outcome: () => {} },
      ...(mode === 'off' ? {} : { fallback: sandboxApi(mode).open(session) }),
    })
    url = `http://${address}`
  })
  afterAll(() => listeners.close())

  const rows = [...sampled('sandbox'), ...sampled('public')]
  it.each(rows.map((door) => [door.listener, door.serves, door] as const))('%s: %s', async (_, __, door) => {
    expect(outcomeOf(await ask(url, door.sample))).toBe(door.sandbox[mode])
    for (const page of PAGES) expect(outcomeOf(await ask(url, door.sample, page))).toBe('refused')
    for (const host of ['evil.example', 'evil.example:21000'])
      expect(outcomeOf(await ask(url, door.sample, { host }))).toBe('refused')
  })
})
