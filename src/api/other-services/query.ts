/** AWS's query protocol: parameters of a form or of a URL in, XML out. STS, IAM, SNS and others speak it. */
import type { Context } from 'hono'
import { formText } from '../http/body.ts'
import type { HttpAnswer } from '../http/http-answer.ts'

export interface QueryRequest {
  /** Name of the operation. */
  readonly action: string
  /** Date that names the service's API, e.g. `2011-06-15` for STS. */
  readonly version: string | undefined
}

const FORM = 'application/x-www-form-urlencoded'

/** `undefined`: the request does not speak this protocol. @throws LambdaException when the body is too large or cut off */
export async function queryRequest(c: Context): Promise<QueryRequest | undefined> {
  if (c.req.path !== '/') return undefined
  if (c.req.method === 'GET') return requestOf(new URL(c.req.url).searchParams)
  if (c.req.method !== 'POST' || c.req.header('content-type')?.startsWith(FORM) !== true) return undefined
  return requestOf(new URLSearchParams(await formText(c)))
}

function requestOf(parameters: URLSearchParams): QueryRequest | undefined {
  const action = parameters.get('Action')
  return action === null ? undefined : { action, version: parameters.get('Version') ?? undefined }
}

export interface QueryError {
  readonly code: string
  readonly message: string
  readonly status: number
}

export function queryError({ code, message, status }: QueryError, requestId: string, namespace = ''): HttpAnswer {
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${escaped(message)}</Message></Error>`
  const space = namespace === '' ? '' : ` xmlns="${namespace}"`
  return xml(`<ErrorResponse${space}>${error}<RequestId>${requestId}</RequestId></ErrorResponse>`, status, requestId)
}

export function xml(body: string, status: number, requestId: string): HttpAnswer {
  return { status, headers: { 'Content-Type': 'text/xml', 'x-amzn-RequestId': requestId }, body }
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Characters that XML cannot hold at all become a question mark. */
export function escaped(text: string): string {
  return text.replace(/\p{Cc}/gu, '?').replace(/[&<>"]/g, (one) => ENTITIES[one] ?? one)
}
