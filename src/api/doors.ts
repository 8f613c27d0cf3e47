/**
 * THE table of doors: every listener, path prefix and service of the host, who may reach it, which guard a request passes, what bounds it. A test
 * walks the rows and fails for a route or a listening socket that has none. docs/doors.md is made from it.
 */

/** Sockets that the host listens on, and the file that opens each. */
export const LISTENERS = {
  public: { name: 'the public port (HEARTH_HOST, HEARTH_PORT)', opens: 'api/http/server.ts' },
  sandbox: { name: 'the listener of one sandbox (AWS_LAMBDA_RUNTIME_API)', opens: 'runtime-api/ports.ts' },
  reach: { name: 'a port named by HEARTH_FUNCTION_REACH', opens: 'sandbox/docker/network/relay.ts' },
} as const

/** Files that listen for a moment and answer nobody, each with its reason. */
export const LISTENS_FOR_NOBODY: Readonly<Record<string, string>> = {
  'sandbox/docker/network/network.ts':
    'binds a port to learn whether the address of a bridge is there, and closes it at once',
}

/** What a comer gets: an answer of the door, a refusal of its guard, or no such thing there. */
export type Outcome = 'answers' | 'refused' | 'absent'

export interface Door {
  readonly listener: keyof typeof LISTENERS
  /** Path prefixes; `*` is every path that no other row of the listener has. */
  readonly paths: readonly string[]
  readonly serves: string
  /** Who may reach it, for people. */
  readonly who: string
  readonly guard: string
  readonly bounds: string
  /** A request that the door answers, for the test. */
  readonly sample?: { readonly method: string; readonly path: string }
  /** Code inside a sandbox, in each mode of HEARTH_FUNCTION_API, that sends the sample to its own listener. */
  readonly sandbox: Readonly<Record<'invoke' | 'all' | 'off', Outcome>>
  /** A page of another origin in a browser that can reach the listener. */
  readonly page: Outcome
}

const everywhere = (outcome: Outcome) => ({ invoke: outcome, all: outcome, off: outcome })

const PUBLIC = {
  listener: 'public',
  who: 'anyone who reaches the port: requests are not authenticated, so an account is only a name',
  guard: 'Host, Origin and Sec-Fetch-Site; no connection comes from a sandbox network',
  page: 'refused',
} as const

const SANDBOX = {
  listener: 'sandbox',
  who: 'the code of that sandbox',
  guard: 'address of the peer; Host, Origin, Sec-Fetch-*',
  page: 'refused',
} as const

const CALLS = 'HEARTH_FUNCTION_API_RATE; the connections and body bytes of each sandbox and of all sandboxes together'
const PROTOCOL = 'the connections, headers and pipelined requests of the listener; 6 MB for a response'

export const DOORS: readonly Door[] = [
  {
    ...PUBLIC,
    // Years of the API's versions: every operation of the table stands below one of them.
    paths: [
      '/2014-',
      '/2015-',
      '/2016-',
      '/2017-',
      '/2018-',
      '/2019-',
      '/2020-',
      '/2021-',
      '/2024-',
      '/2025-',
      '/2026-',
    ],
    serves: 'the Lambda API, and the refusals of services that share its endpoint',
    bounds:
      'the total size of request bodies and unread answers; the concurrency and the requests per second of each account',
    sample: { method: 'GET', path: '/2015-03-31/functions' },
    sandbox: { invoke: 'refused', all: 'answers', off: 'absent' },
  },
  {
    ...PUBLIC,
    paths: ['/_hearth'],
    serves: "the operator's pages",
    bounds: 'a page of logs has a limit of lines',
    sample: { method: 'GET', path: '/_hearth/config' },
    sandbox: everywhere('absent'),
  },
  {
    ...PUBLIC,
    paths: ['/_hearth/code/'],
    serves: 'code downloads (Code.Location)',
    guard: `${PUBLIC.guard}; a signature that is valid for ten minutes`,
    bounds: 'the total size of unread answers',
    sample: { method: 'GET', path: `/_hearth/code/${'0'.repeat(64)}?expires=1&signature=0` },
    sandbox: everywhere('absent'),
  },
  {
    ...PUBLIC,
    paths: ['*'],
    serves: 'sts:GetCallerIdentity; refusals of other services',
    bounds: '64 KiB for a form',
    sample: { method: 'GET', path: '/?Action=GetCallerIdentity&Version=2011-06-15' },
    sandbox: { invoke: 'answers', all: 'answers', off: 'absent' },
  },
  {
    ...SANDBOX,
    paths: ['/2018-06-01/runtime', '/ping'],
    serves: 'the Runtime API',
    bounds: PROTOCOL,
    sample: { method: 'GET', path: '/ping' },
    sandbox: everywhere('answers'),
  },
  {
    ...SANDBOX,
    paths: ['/2020-01-01/extension'],
    serves: 'the Extensions API',
    bounds: PROTOCOL,
    sample: { method: 'POST', path: '/2020-01-01/extension/register' },
    sandbox: everywhere('answers'),
  },
  {
    ...SANDBOX,
    paths: ['/2022-07-01/telemetry', '/2020-08-15/logs'],
    serves: 'the Telemetry and Logs APIs',
    bounds: PROTOCOL,
    sample: { method: 'PUT', path: '/2022-07-01/telemetry' },
    sandbox: everywhere('answers'),
  },
  {
    ...SANDBOX,
    paths: ['/2015-03-31/functions/', '/2014-11-13/functions/', '/2021-11-15/functions/'],
    serves: "Invoke, InvokeAsync and InvokeWithResponseStream, as the function's role",
    bounds: CALLS,
    sample: { method: 'POST', path: '/2015-03-31/functions/f/invocations' },
    sandbox: { invoke: 'answers', all: 'answers', off: 'absent' },
  },
  {
    ...SANDBOX,
    paths: [
      '/2014-',
      '/2015-',
      '/2016-',
      '/2017-',
      '/2018-',
      '/2019-',
      '/2020-',
      '/2021-',
      '/2024-',
      '/2025-',
      '/2026-',
    ],
    serves: "the rest of the Lambda API, in the function's own account and region (src/api/sandbox-operations.ts)",
    bounds: CALLS,
    sample: { method: 'GET', path: '/2015-03-31/functions' },
    sandbox: { invoke: 'refused', all: 'answers', off: 'absent' },
  },
  {
    ...SANDBOX,
    paths: ['*'],
    serves: 'sts:GetCallerIdentity; refusals of everything else',
    bounds: CALLS,
    sample: { method: 'GET', path: '/?Action=GetCallerIdentity&Version=2011-06-15' },
    sandbox: { invoke: 'answers', all: 'answers', off: 'absent' },
  },
  {
    listener: 'reach',
    paths: ['*'],
    serves: 'a service of this machine that the operator names; Hearth passes the bytes on without reading them',
    who: 'every sandbox of the host',
    guard: 'address of the peer; the packet filter',
    bounds: "the service's own",
    sandbox: everywhere('answers'),
    page: 'answers',
  },
]

/** The row of a path: that with the longest prefix. */
export function doorOf(listener: Door['listener'], path: string): Door | undefined {
  let found: { readonly door: Door; readonly length: number } | undefined
  for (const door of DOORS.filter((one) => one.listener === listener)) {
    for (const prefix of door.paths) {
      const length = prefix === '*' ? 0 : prefix.length
      if ((length === 0 || path.startsWith(prefix)) && length > (found?.length ?? -1)) found = { door, length }
    }
  }
  return found?.door
}
