/**
 * The running host over HTTP, as any other client sees it. Requests are not signed; region and account are named by a credential scope: those of the
 * options, else of the variables that AWS's own tools read, so that both see the same functions.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { ONE_REGION } from '../lambda/arn.ts'
import { CliError } from './failure.ts'

export const DEFAULT_ENDPOINT = 'http://127.0.0.1:9000'

/** Access key id of a client that names no account. */
const NO_KEY = 'HEARTHCLI'
const ACCESS_KEY = /^\w{1,128}$/

/** Options that every command which talks to the host has. */
export interface HostOptions {
  readonly endpointUrl?: string
  readonly region?: string
  readonly account?: string
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Path and query. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
}

/** The host refused. */
export class HostRefusal extends CliError {
  readonly status: number
  /** Name of the exception, e.g. `ResourceNotFoundException`. */
  readonly type: string

  constructor(status: number, type: string, message: string, hint?: string) {
    super(`${type}: ${message}`, hint)
    this.status = status
    this.type = type
  }
}

export class HostClient {
  readonly endpoint: string
  readonly account: string | undefined
  readonly region: string | undefined
  readonly #accessKey: string

  constructor(options: HostOptions, env: Readonly<Record<string, string | undefined>> = process.env) {
    this.endpoint = endpointOf(options.endpointUrl ?? (env.HEARTH_ENDPOINT || DEFAULT_ENDPOINT))
    if (options.account !== undefined && !/^\d{12}$/.test(options.account)) {
      throw new CliError(`--account must be twelve digits; it is ${JSON.stringify(options.account)}.`)
    }
    if (options.region !== undefined && !ONE_REGION.test(options.region)) {
      throw new CliError(`--region must look like us-east-1; it is ${JSON.stringify(options.region)}.`)
    }
    const key = env.AWS_ACCESS_KEY_ID ?? ''
    // A name without digits at its end may be one of HEARTH_ACCESS_KEYS: only the host knows its account.
    const known = options.account === undefined && ACCESS_KEY.test(key)
    this.#accessKey = known ? key : `${NO_KEY}${options.account ?? ''}`
    this.account = options.account ?? (known ? /\d{12}$/.exec(key)?.[0] : undefined)
    const region = options.region ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION || '')
    this.region = ONE_REGION.test(region) ? region : undefined
  }

  /** Where the host looks, in words. */
  get place(): string {
    const known = [this.region && `region ${this.region}`, this.account && `account ${this.account}`].filter(Boolean)
    return `in ${known.length === 0 ? 'the default region and account' : known.join(', ')}`
  }

  /** The answer, whatever its status. */
  async send(call: Call): Promise<Answer> {
    const response = await this.#open(call)
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    return { status: response.statusCode ?? 0, headers: plainHeaders(response), body: Buffer.concat(chunks) }
  }

  /** The answer if it is a success; else throws HostRefusal. */
  async must(call: Call): Promise<Answer> {
    const answer = await this.send(call)
    if (answer.status >= 400) throw refusalOf(answer)
    return answer
  }

  async json<T>(call: Call): Promise<T> {
    const answer = await this.must(call)
    return JSON.parse(answer.body.toString('utf8')) as T
  }

  /** The lines of a success as they come. */
  async *lines(call: Call, signal?: AbortSignal): AsyncIterable<string> {
    const response = await this.#open(call, signal)
    response.setEncoding('utf8')
    let rest = ''
    const refused = (response.statusCode ?? 0) >= 400
    for await (const chunk of response) {
      rest += chunk as string
      if (refused) continue
      const lines = rest.split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
    if (refused)
      throw refusalOf({ status: response.statusCode ?? 0, headers: plainHeaders(response), body: Buffer.from(rest) })
    if (rest !== '') yield rest
  }

  /** Resolves with the head of the answer. No time limit: an invoke may take 15 minutes, a followed log for ever. */
  #open(call: Call, signal?: AbortSignal): Promise<IncomingMessage> {
    const url = new URL(this.endpoint + call.path)
    const body = call.body === undefined ? undefined : Buffer.from(call.body as Uint8Array)
    // A host that answers before it has the whole body reads the rest only where the connection may stay: else the answer would be lost.
    const headers: Record<string, string> = { Connection: 'keep-alive', ...this.#scope(), ...call.headers }
    if (body !== undefined) headers['Content-Length'] = String(body.byteLength)
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    return new Promise((resolve, reject) => {
      const request = send(url, { method: call.method, headers, signal, agent: false }, (response) => {
        // What is left of the body serves nobody any more.
        response.once('end', () => request.destroy())
        resolve(response)
      })
      request.on('error', (error) => reject(signal?.aborted ? error : this.#unreachable(error)))
      request.end(body)
    })
  }

  #scope(): Record<string, string> {
    if (this.#accessKey === NO_KEY && this.region === undefined) return {}
    // The host takes the account from the key id; one without an account, and a region that is none, leave the host's own.
    const date = new Date().toISOString().slice(0, 10).replaceAll('-', '')
    const scope = `${this.#accessKey}/${date}/${this.region ?? '-'}/lambda/aws4_request`
    return { Authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=${'0'.repeat(64)}` }
  }

  #unreachable(error: Error): CliError {
    const code = 'code' in error ? String(error.code) : error.message
    if (code === 'ECONNREFUSED') {
      return new CliError(
        `No host answers at ${this.endpoint}.`,
        'Start one with `npm start` (or `hearth start`), or name another with --endpoint-url or HEARTH_ENDPOINT.',
      )
    }
    if (code === 'ECONNRESET' || error.message === 'socket hang up') {
      return new CliError(
        `The host at ${this.endpoint} closed the connection before it answered.`,
        'It may be stopping: check its output.',
      )
    }
    return new CliError(`${this.endpoint} cannot be reached: ${code}.`, 'Check --endpoint-url or HEARTH_ENDPOINT.')
  }
}

function endpointOf(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new CliError(
      `The endpoint ${JSON.stringify(text)} is not an http:// or https:// URL.`,
      `For example ${DEFAULT_ENDPOINT}.`,
    )
  }
  return text.replace(/\/+$/, '')
}

function plainHeaders(response: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  )
}

function refusalOf(answer: Answer): HostRefusal {
  const type = answer.headers['x-amzn-errortype']?.split(':')[0] ?? `HTTP ${answer.status}`
  let message = answer.body.toString('utf8').slice(0, 2000)
  try {
    const body = JSON.parse(message) as { message?: unknown; Message?: unknown }
    message = String(body.message ?? body.Message ?? message)
  } catch {
    // Not JSON: something other than the host answered; its text says most.
  }
  return new HostRefusal(answer.status, type, message, HINTS[type])
}

const HINTS: Readonly<Record<string, string>> = {
  ResourceNotFoundException: '`hearth ls` lists the functions; --region and --account choose where to look.',
  InvalidRequestContentException: 'The payload must be JSON: @FILE reads it from a file, - from stdin.',
  TooManyRequestsException:
    'Too many executions run at the same time: try again, or raise the concurrency of the function or the account.',
  EC2AccessDeniedException: "The host may not use the container engine's socket; its output says how to allow it.",
  EC2ThrottledException:
    'The machine has no room for another execution environment: try again later, or raise HEARTH_MAX_ENVIRONMENTS.',
  ServiceException: 'The output of the host has the reason.',
  InvalidRuntimeException: "The runtime's image is gone: `hearth runtimes build` builds it again.",
}
