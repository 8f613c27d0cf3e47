/** Requests that a web page made a visitor's browser send. No client of the Lambda API is a page of another site. */
import { isIPv4, isIPv6 } from 'node:net'

/**
 * A web page must not use this host through its visitor's browser. Another site's page says so in Origin or Sec-Fetch-Site; one whose name
 * was made to point at this machine (DNS rebinding) has a Host that is not ours. Returns what to answer, or undefined.
 */
export function refuseBrowser(bound: string, header: (name: string) => string | undefined): string | undefined {
  const host = header('host') ?? ''
  const name = hostName(host)
  if (isLoopback(bound) && !isLoopback(name) && name !== bound.toLowerCase()) {
    return `Host ${JSON.stringify(name.slice(0, 253))} is not this host: use http://${isIPv6(bound) ? `[${bound}]` : bound}, or set HEARTH_HOST to the name or address it is reached by.`
  }
  const origin = header('origin')
  if (origin !== undefined && hostOfOrigin(origin) !== host.toLowerCase())
    return 'Pages of other origins may not read this.'
  const site = header('sec-fetch-site')
  if (site !== undefined && site !== 'none' && site !== 'same-origin') return 'Pages of other sites may not read this.'
  return undefined
}

/** `Host` without its port and brackets. */
function hostName(host: string): string {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::\d+)?$/.exec(host.trim())
  return (match?.[1] ?? match?.[2] ?? host).toLowerCase()
}

function hostOfOrigin(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}

function isLoopback(name: string): boolean {
  return (
    name === 'localhost' || name.endsWith('.localhost') || name === '::1' || (isIPv4(name) && name.startsWith('127.'))
  )
}
