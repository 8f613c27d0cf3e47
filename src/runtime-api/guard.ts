/** Whom a sandbox's listener answers: programs that run in the sandbox, never a page in a browser that runs there. */
import type { IncomingHttpHeaders } from 'node:http'
import { isIPv4 } from 'node:net'

/**
 * A browser inside a sandbox shows pages that strangers wrote. Such a page says so in Origin or Sec-Fetch-*, and one whose name was made to
 * point here (DNS rebinding) has that name as Host. A name without a dot can point nowhere else, and runtimes written by hand send one.
 * Sec-Fetch-Mode alone says nothing: Node's fetch sends it.
 *
 * @param address `host:port` of AWS_LAMBDA_RUNTIME_API
 * @returns what to answer, or `undefined`
 */
export function refusePage(headers: IncomingHttpHeaders, address: string): string | undefined {
  const { host, origin } = headers
  if (host !== undefined && host !== address && canBeRebound(host)) return notThis(host, address)
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

/** Beyond the Runtime API every caller is an SDK, whose Host is the address it was given. */
export function refuseForeignHost({ host }: IncomingHttpHeaders, address: string): string | undefined {
  return host === undefined || host === address ? undefined : notThis(host, address)
}

function notThis(host: string, address: string): string {
  return `Host ${JSON.stringify(host.slice(0, 253))} is not this API: call it as http://${address} (AWS_LAMBDA_RUNTIME_API).`
}

function canBeRebound(host: string): boolean {
  const name = host.replace(/:\d*$/, '')
  return name.includes('.') && !isIPv4(name)
}
