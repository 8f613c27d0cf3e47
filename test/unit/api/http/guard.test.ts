import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { type HttpServer, type ServerOptions, serveHttp } from '../../../../src/api/http/server.ts'

let server: HttpServer | undefined
afterEach(async () => {
  await server?.close(0)
  server = undefined
})

const OWN = '127.0.0.1:9000'
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0'
const FUNCTIONS = '/2015-03-31/functions'

async function serving(options: Partial<ServerOptions> = {}) {
  server = await serveHttp((_, response) => void response.writeHead(200, { 'x-amzn-RequestId': 'id' }).end('served'), {
    host: '127.0.0.1',
    port: 0,
    ...options,
  })
  const { port } = new URL(server.url)
  /** Sends the request as it is; fetch would not let a test choose such headers. */
  return async (headers: Record<string, string>, method = 'GET', path = FUNCTIONS) => {
    const client = connect(Number(port), '127.0.0.1')
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    client.write(`${method} ${path} HTTP/1.1\r\nConnection: close\r\n${lines.join('')}\r\n`)
    const answer = await text(client)
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    const [status = '', ...rest] = head.split('\r\n')
    const given = new Map(rest.map((line) => [line.split(': ')[0]!.toLowerCase(), line.split(': ')[1]]))
    return { status: Number(status.split(' ')[1]), header: (name: string) => given.get(name), body }
  }
}

describe('the name of the host that a request gives', () => {
  it.each(['127.0.0.1', '0.0.0.0'])('must be one of ours, on the binding %s and for every client', async (host) => {
    const ask = await serving({ host, names: ['hearth.example'] })
    const ours = [OWN, '[::1]:9000', '192.168.7.7', 'localhost:9000', 'LOCALHOST', 'host.docker.internal:9000']
    const named = ['hearth', 'hearth.example', 'stream-hearth.example:9000', 'streaming-localhost']
    for (const name of [...ours, ...named]) expect((await ask({ Host: name })).status, name).toBe(200)
    for (const name of ['evil.example', 'hearth.example.evil.example', 'stream-evil.example', 'x.localhost', '.']) {
      expect((await ask({ Host: name, 'User-Agent': 'aws-cli/2.9.19' })).status, name).toBe(403)
    }
  })

  it('may be the one that the host listens on', async () => {
    const ask = await serving({ host: 'localhost' })
    expect((await ask({ Host: 'localhost:9000' })).status).toBe(200)
  })

  it('is refused with the setting that allows it', async () => {
    const ask = await serving()
    const { body, header } = await ask({ Host: 'evil.example:9000' }, 'GET', '/_hearth/logs')
    expect(header('x-amzn-errortype')).toBe('AccessDeniedException')
    expect(JSON.parse(body).Message).toBe(
      '"evil.example" is not a name of this host. If it should be, start the host with HEARTH_PUBLIC_NAMES=evil.example.',
    )
  })
})

describe('a page of another origin', () => {
  const PAGE = 'http://localhost:3000'

  it.each([FUNCTIONS, '/_hearth/health', `/_hearth/code/${'0'.repeat(64)}`, `${FUNCTIONS}/f/invocations`])(
    'may not use %s, whatever it calls itself',
    async (path) => {
      const ask = await serving()
      for (const agent of [FIREFOX, 'aws-cli/2.9.19']) {
        const page = { Host: OWN, 'User-Agent': agent }
        const signs: Record<string, string>[] = [
          { Origin: PAGE },
          { Origin: 'null' },
          { 'Sec-Fetch-Site': 'cross-site' },
          { 'Sec-Fetch-Site': 'same-site' },
          { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' },
        ]
        for (const sign of signs) {
          const { status, header } = await ask({ ...page, ...sign }, 'POST', path)
          expect([status, header('access-control-allow-origin')], JSON.stringify(sign)).toEqual([403, undefined])
        }
      }
    },
  )

  it('is told what names its origin', async () => {
    const ask = await serving()
    const { body } = await ask({ Host: OWN, Origin: PAGE })
    expect(JSON.parse(body).Message).toBe(
      'Pages of other origins (http://localhost:3000) may not use this host. HEARTH_ALLOWED_ORIGINS names the origins that may call the Lambda API.',
    )
  })

  it('may use the API where its origin is configured, and reads the headers of the answer', async () => {
    const ask = await serving({ origins: [PAGE] })
    const { status, header } = await ask({ Host: OWN, Origin: PAGE, 'Sec-Fetch-Site': 'same-site' }, 'POST')
    expect([status, header('access-control-allow-origin'), header('vary')]).toEqual([200, PAGE, 'Origin'])
    expect(header('access-control-expose-headers')).toContain('X-Amz-Function-Error')
    expect(header('access-control-allow-credentials')).toBeUndefined()
    const other = await ask({ Host: OWN, Origin: 'http://localhost:3001' }, 'POST')
    expect([other.status, other.header('access-control-allow-origin')]).toEqual([403, undefined])
  })

  it.each([
    '/_hearth/config',
    '/%5Fhearth/config',
    `/_hearth/code/${'0'.repeat(64)}`,
    '//_hearth/config',
    '/./_hearth',
  ])('may not use %s even where its origin is configured', async (path) => {
    const ask = await serving({ origins: [PAGE] })
    for (const method of ['GET', 'OPTIONS']) {
      const asked = { Host: OWN, Origin: PAGE, 'Access-Control-Request-Method': 'GET' }
      expect((await ask(asked, method, path)).status).toBe(403)
    }
  })

  it('asks first, and gets what a signed request needs', async () => {
    const ask = await serving({ origins: [PAGE] })
    const preflight = {
      Host: OWN,
      Origin: PAGE,
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization,content-type,x-amz-date,amz-sdk-request,x-evil',
      'Access-Control-Request-Private-Network': 'true',
    }
    const { status, header } = await ask(preflight, 'OPTIONS', `${FUNCTIONS}/f/invocations`)
    expect([status, header('access-control-allow-origin'), header('vary')]).toEqual([204, PAGE, 'Origin'])
    expect(header('access-control-allow-methods')).toBe('GET, POST, PUT, DELETE')
    const allowed = header('access-control-allow-headers')?.split(', ')
    for (const name of ['authorization', 'content-type', 'x-amz-date', 'amz-sdk-request']) {
      expect(allowed).toContain(name)
    }
    expect(allowed).not.toContain('x-evil')
    expect(Number(header('access-control-max-age'))).toBeGreaterThan(0)
    expect(header('access-control-allow-private-network')).toBe('true')
    expect((await ask({ ...preflight, Origin: 'http://evil.example' }, 'OPTIONS')).status).toBe(403)
  })
})

it('a page of our own origin, what a visitor types, and every program are served', async () => {
  const ask = await serving()
  expect((await ask({ Host: OWN, Origin: `http://${OWN}`, 'Sec-Fetch-Site': 'same-origin' }, 'POST')).status).toBe(200)
  expect((await ask({ Host: OWN, 'Sec-Fetch-Site': 'none', 'User-Agent': FIREFOX })).status).toBe(200)
  expect((await ask({ Host: OWN }, 'POST')).status).toBe(200)
})

it('a connection from a sandbox is dropped before it is read', async () => {
  const seen: string[] = []
  const ask = await serving({
    isSandbox: (address) => {
      seen.push(address)
      return true
    },
  })
  // Whether the client notices while it writes or while it reads is chance.
  const { status, body } = await ask({ Host: OWN }).catch(() => ({ status: Number.NaN, body: '' }))
  expect([status, body]).toEqual([Number.NaN, ''])
  expect(seen).toEqual(['127.0.0.1'])
})
