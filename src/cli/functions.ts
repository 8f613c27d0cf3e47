/** The calls of the Lambda API that the commands use. */
import { CliError } from './failure.ts'
import { type HostClient, HostRefusal } from './host-client.ts'

/** The members of a FunctionConfiguration that the commands look at. */
export interface FunctionSummary {
  readonly FunctionName: string
  readonly FunctionArn: string
  readonly Runtime?: string
  readonly Handler?: string
  readonly MemorySize: number
  readonly Timeout: number
  readonly CodeSha256: string
  readonly CodeSize: number
  readonly LastModified: string
  readonly State?: string
  readonly StateReason?: string
  readonly LastUpdateStatus?: string
  readonly LastUpdateStatusReason?: string
  readonly Environment?: { readonly Variables?: Readonly<Record<string, string>> }
}

/** A function that could not be made ready. */
export class FunctionFailed extends CliError {}

const FUNCTIONS = '/2015-03-31/functions'
const POLL_MS = 250
/** Functions that are asked for at the same time. */
const ASKED_AT_ONCE = 8
/** Waiting that needs no explanation. */
const PATIENCE_MS = 2000
/** An image that is built for the first time takes minutes. */
const ACTIVE_LIMIT_MS = 30 * 60_000

export function functionPath(name: string, rest = ''): string {
  return `${FUNCTIONS}/${encodeURIComponent(name)}${rest}`
}

/** `undefined`: there is no such function. */
export async function findFunction(host: HostClient, name: string): Promise<FunctionSummary | undefined> {
  try {
    return await host.json<FunctionSummary>({ method: 'GET', path: functionPath(name, '/configuration') })
  } catch (error) {
    if (error instanceof HostRefusal && error.status === 404) return undefined
    throw error
  }
}

export function createFunction(host: HostClient, request: object): Promise<FunctionSummary> {
  return host.json({ method: 'POST', path: FUNCTIONS, headers: JSON_BODY, body: JSON.stringify(request) })
}

export function updateCode(host: HostClient, name: string, zip: Buffer): Promise<FunctionSummary> {
  const body = JSON.stringify({ ZipFile: zip.toString('base64') })
  return host.json({ method: 'PUT', path: functionPath(name, '/code'), headers: JSON_BODY, body })
}

export function updateConfiguration(host: HostClient, name: string, change: object): Promise<FunctionSummary> {
  return host.json({
    method: 'PUT',
    path: functionPath(name, '/configuration'),
    headers: JSON_BODY,
    body: JSON.stringify(change),
  })
}

export async function deleteFunction(host: HostClient, name: string): Promise<void> {
  await host.must({ method: 'DELETE', path: functionPath(name) })
}

/** With the states, which ListFunctions leaves out as on AWS: each function is asked for. */
export async function listFunctions(host: HostClient): Promise<FunctionSummary[]> {
  const waiting = await listNames(host)
  const found: FunctionSummary[] = []
  const ask = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const one = await findFunction(host, next)
      // One that was deleted meanwhile is none.
      if (one !== undefined) found.push(one)
    }
  }
  await Promise.all(Array.from({ length: ASKED_AT_ONCE }, ask))
  return found.sort((one, other) => (one.FunctionName < other.FunctionName ? -1 : 1))
}

async function listNames(host: HostClient): Promise<string[]> {
  const found: string[] = []
  let marker: string | undefined
  do {
    const query = marker === undefined ? '' : `?Marker=${encodeURIComponent(marker)}`
    const page = await host.json<{ Functions: FunctionSummary[]; NextMarker?: string | null }>({
      method: 'GET',
      path: `${FUNCTIONS}${query}`,
    })
    found.push(...page.Functions.map((one) => one.FunctionName))
    marker = page.NextMarker ?? undefined
  } while (marker !== undefined)
  return found
}

/** Waits until the function can be invoked with its newest code and configuration. `waiting` is called once if it takes long. */
export async function untilActive(host: HostClient, name: string, waiting: () => void): Promise<FunctionSummary> {
  const began = performance.now()
  let told = false
  for (;;) {
    const one = await findFunction(host, name)
    if (one === undefined) throw new CliError(`The function ${name} was deleted while it was being deployed.`)
    if (one.State === 'Failed') {
      throw new FunctionFailed(`The function ${name} failed: ${one.StateReason ?? 'no reason given'}`)
    }
    if (one.LastUpdateStatus === 'Failed') {
      throw new CliError(`The update of ${name} failed: ${one.LastUpdateStatusReason ?? 'no reason given'}`)
    }
    if (one.State !== 'Pending' && one.LastUpdateStatus !== 'InProgress') return one
    if (performance.now() - began > ACTIVE_LIMIT_MS) {
      throw new CliError(
        `The function ${name} is not active after ${ACTIVE_LIMIT_MS / 60_000} minutes.`,
        "Check the host's output.",
      )
    }
    if (!told && performance.now() - began > PATIENCE_MS) {
      waiting()
      told = true
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

const JSON_BODY = { 'Content-Type': 'application/json' } as const
