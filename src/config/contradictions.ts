/** Settings that are right each by itself and wrong together: one sentence each. */
import type { Config, SettingName } from './settings.ts'

/** @param label how a setting is called where it was given; its name where it was not */
export function contradictions(config: Config, label: (name: SettingName) => string): string[] {
  return [
    unsignedWebhook(config),
    minimumBeyondTheAccount(config, label('unreservedMinimum')),
    openToOthers(config, label('host')),
    reachesItself(config, label('functionReach')),
  ].filter((problem) => problem !== undefined)
}

function unsignedWebhook({ destinations, destinationSecret }: Config): string | undefined {
  const webhook = Object.values(destinations).some((place) => !place.startsWith('folder:'))
  if (!webhook || destinationSecret !== undefined) return undefined
  return 'HEARTH_DESTINATION_SECRET is missing. destinations names a webhook, and Hearth signs what it sends to a webhook. Set it to 16 characters or more.'
}

function minimumBeyondTheAccount({ unreservedMinimum, accountConcurrency }: Config, label: string): string | undefined {
  if (unreservedMinimum <= accountConcurrency) return undefined
  return `${label} must not be greater than accountConcurrency (${accountConcurrency}); it is ${unreservedMinimum}`
}

function openToOthers({ host, allowAnonymous }: Config, label: string): string | undefined {
  if (allowAnonymous || isLoopback(host)) return undefined
  return `${label} is ${host}, which other machines can reach. Hearth does not authenticate requests: anyone who reaches the host can run code on this machine. If you want that, add --allow-anonymous or set HEARTH_ALLOW_ANONYMOUS=on.`
}

function reachesItself({ functionReach, port }: Config, label: string): string | undefined {
  if (!functionReach.includes(port)) return undefined
  return `${label} names port ${port}, which is the host's own port. Functions could then reach the operator's pages. They can call the Lambda API at AWS_ENDPOINT_URL_LAMBDA instead.`
}

function isLoopback(host: string): boolean {
  return host.toLowerCase() === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}
