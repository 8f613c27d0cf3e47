/** Whom a sandbox's listener answers: programs that call it by its own address, never a page in a browser that runs inside the sandbox. */
import type { IncomingHttpHeaders } from 'node:http'

/**
 * A browser inside a sandbox shows pages that strangers wrote. Such a page says so in Origin or Sec-Fetch-*, and one whose name was made to
 * point here (DNS rebinding) has a Host that is not this address. Sec-Fetch-Mode alone says nothing: Node's fetch sends it.
 *
 * @param address `host:port` of AWS_LAMBDA_RUNTIME_API
 * @returns what to answer, or `undefined`
 */
export function refuseForeign(headers: IncomingHttpHeaders, address: string): string | undefined {
  const { host, origin } = headers
  if (host !== undefined && host !== address) {
    return `Host ${JSON.stringify(host.slice(0, 253))} is not this API: call it as http://${address} (AWS_LAMBDA_RUNTIME_API).`
  }
  if (
    origin !== undefined ||
    headers['sec-fetch-site'] !== undefined ||
    headers['sec-fetch-dest'] !== undefined ||
    headers['sec-fetch-user'] !== undefined
  ) {
    return 'Pages in a browser may not call this API. Call it from the code of the function.'
  }
  return undefined
}
