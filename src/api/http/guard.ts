/**
 * Who may use the public port, before anything else looks at a request: a client that calls this host by one of its names, and no web page
 * but those of configured origins. A page chooses its own User-Agent, so nothing here depends on that.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isIP } from 'node:net'

export interface GuardOptions {
  /** Address or name that the host listens on. */
  readonly bound: string
  /** Setting publicNames. */
  readonly names: readonly string[]
  /** Setting allowedOrigins. */
  readonly origins: readonly string[]
}

/** SDKs put these before the name for operations that stream. */
const PREFIX = /^(?:stream|streaming)-/

/** Host headers that are known to be good; the bound guards against made-up ones. */
const REMEMBERED_MAX = 100

/** What no page of another origin reads, whatever is configured: the host's own pages, and packages. */
const CLOSED = '/_hearth'

/** Headers of signed requests. Others of the SDKs begin as AMAZON says. */
const SIGNED_HEADERS = ['authorization', 'content-type', 'x-amz-date', 'x-amz-security-token', 'x-amz-content-sha256']
const AMAZON = /^(?:x-amz-|x-amzn-|amz-sdk-)[a-z0-9-]{1,64}$/

const EXPOSED_HEADERS = [
  'x-amzn-RequestId',
  'x-amzn-ErrorType',
  'x-amzn-Remapped-Content-Length',
  'X-Amzn-Trace-Id',
  'X-Amz-Executed-Version',
  'X-Amz-Function-Error',
  'X-Amz-Log-Result',
].join(', ')

/** Seconds for which a browser remembers the answer to a preflight; Chromium's own limit. */
const PREFLIGHT_SECONDS = '7200'

export class Guard {
  readonly #names: ReadonlySet<string>
  readonly #origins: ReadonlySet<string>
  readonly #known = new Set<string>()

  constructor({ bound, names, origins }: GuardOptions) {
    this.#names = new Set(['localhost', 'host.docker.internal', bound, ...names].map((name) => name.toLowerCase()))
    this.#origins = new Set(origins.map((origin) => origin.toLowerCase()))
  }

  /** `false`: the request is answered. */
  admits(request: IncomingMessage, response: ServerResponse): boolean {
    const { headers } = request
    const { host, origin } = headers
    // Every browser sends it; some health checks of load balancers do not.
    if (host !== undefined && !this.#isOurs(host)) return refuse(request, response, notOurs(nameOf(host)))
    const site = headers['sec-fetch-site']
    if (origin === undefined && (site === undefined || site === 'none' || site === 'same-origin')) return true
    if (origin !== undefined && hostOfOrigin(origin) === host?.toLowerCase() && site !== 'cross-site') return true
    if (origin === undefined || !this.#origins.has(origin.toLowerCase()) || isClosed(request.url ?? '')) {
      return refuse(request, response, refusalOfPage(origin))
    }
    response.setHeader('Access-Control-Allow-Origin', origin)
    response.setHeader('Vary', 'Origin')
    const method = headers['access-control-request-method']
    if (request.method === 'OPTIONS' && method !== undefined) {
      answerPreflight(request, response)
      return false
    }
    response.setHeader('Access-Control-Expose-Headers', EXPOSED_HEADERS)
    return true
  }

  #isOurs(host: string): boolean {
    if (this.#known.has(host)) return true
    const name = nameOf(host)
    if (!this.#isName(name) && !this.#isName(name.replace(PREFIX, ''))) return false
    if (this.#known.size >= REMEMBERED_MAX) this.#known.clear()
    this.#known.add(host)
    return true
  }

  /** A name without a dot is one of the local network, as Compose's services have: no page's name can be made to look like it. */
  #isName(name: string): boolean {
    return name !== '' && (isIP(name) !== 0 || !name.includes('.') || this.#names.has(name))
  }
}

function answerPreflight({ headers }: IncomingMessage, response: ServerResponse): void {
  const asked = (headers['access-control-request-headers'] ?? '').toLowerCase().split(',')
  const others = asked.map((name) => name.trim()).filter((name) => AMAZON.test(name) && !SIGNED_HEADERS.includes(name))
  response.setHeader('Access-Control-Allow-Methods', 'GET, POST, PUT, DELETE')
  response.setHeader('Access-Control-Allow-Headers', [...SIGNED_HEADERS, ...others.slice(0, 50)].join(', '))
  response.setHeader('Access-Control-Max-Age', PREFLIGHT_SECONDS)
  if (headers['access-control-request-private-network'] === 'true') {
    response.setHeader('Access-Control-Allow-Private-Network', 'true')
  }
  response.writeHead(204).end()
}

function refuse(request: IncomingMessage, response: ServerResponse, message: string): false {
  const body = JSON.stringify({ Message: message })
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'x-amzn-ErrorType': 'AccessDeniedException',
    Vary: 'Origin',
  }
  // What is left of its body is not waited for.
  if (!request.complete) response.shouldKeepAlive = false
  response.writeHead(403, headers).end(body)
  return false
}

function notOurs(name: string): string {
  const shown = JSON.stringify(name.slice(0, 253))
  return `${shown} is not a name of this host. If it should be, start the host with HEARTH_PUBLIC_NAMES=${name.slice(0, 253)}.`
}

function refusalOfPage(origin: string | undefined): string {
  const named = origin === undefined || origin === 'null' ? '' : ` (${origin.slice(0, 253)})`
  return `Pages of other origins${named} may not use this host. HEARTH_ALLOWED_ORIGINS names the origins that may call the Lambda API.`
}

/** Nothing that leads to a closed page is open because it is written in another way. */
function isClosed(url: string): boolean {
  if (!url.startsWith('/') || url.startsWith('//')) return true
  try {
    return decodeURIComponent(new URL(url, 'http://host').pathname).toLowerCase().startsWith(CLOSED)
  } catch {
    return true
  }
}

/** `Host` without its port and brackets. */
function nameOf(host: string): string {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::\d+)?$/.exec(host.trim())
  return (match?.[1] ?? match?.[2] ?? host).toLowerCase()
}

function hostOfOrigin(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}
