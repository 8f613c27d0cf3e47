/** What hosts that crashed left in the engine: containers, networks and packet filter chains. owner.ts decides what is a leftover. */
import type Dockerode from 'dockerode'
import { bounded } from './engine/errors.ts'
import { type Identity, LABELS } from './engine/labels.ts'
import { isLeftover } from './engine/owner.ts'
import { removeContainer } from './engine/removal.ts'
import { Slots } from './engine/slots.ts'
import type { Firewall } from './network/firewall.ts'
import { removeNetwork } from './network/network-removal.ts'

const LIMIT_MS = 30_000
/** The engine removes a few at a time about as fast as many. */
const PARALLEL = 8
const BRIDGE_OPTION = 'com.docker.network.bridge.name'

type Log = (message: string, fields?: object) => void

/** Throws only if the engine cannot be asked; what cannot be removed is logged. */
export async function removeLeftovers(
  docker: Dockerode,
  identity: Identity,
  firewall: Firewall | undefined,
  log: Log,
): Promise<void> {
  const filters = { label: [LABELS.owner] }
  const stale = (one: { readonly Labels?: Record<string, string> }) =>
    isLeftover({ owner: one.Labels?.[LABELS.owner] ?? '', data: one.Labels?.[LABELS.data] ?? '' }, identity)

  const all = await bounded(LIMIT_MS, 'list sandboxes', (abortSignal) =>
    docker.listContainers({ all: true, filters, abortSignal }),
  )
  const containers = all.filter(stale)
  const slots = new Slots(PARALLEL)
  await Promise.all(
    containers.map((container) =>
      slots.run(() => removeContainer(docker, container.Id)).catch((error) => complain('sandbox', error)),
    ),
  )

  const every = await bounded(LIMIT_MS, 'list networks', (abortSignal) => docker.listNetworks({ abortSignal }))
  const networks = every.filter((network) => network.Labels?.[LABELS.owner] !== undefined && stale(network))
  for (const network of networks) {
    await removeNetwork(docker, network.Id).catch((error) => complain('network', error))
  }

  // Chains have no labels, but a bridge each; a network is made before its chain, so a chain without one is nobody's.
  const interfaces = (await firewall?.interfaces().catch(() => [])) ?? []
  const stay = await bounded(LIMIT_MS, 'list networks', (abortSignal) => docker.listNetworks({ abortSignal }))
  const bridges = new Set(stay.map((network) => network.Options?.[BRIDGE_OPTION]))
  const chains = interfaces.filter((name) => !bridges.has(name))
  for (const name of chains) await firewall?.remove(name).catch((error) => complain('packet filter chain', error))

  const found = { containers: containers.length, networks: networks.length, chains: chains.length }
  if (found.containers + found.networks + found.chains > 0) log('Removed what an earlier host left behind', found)

  function complain(what: string, error: unknown): void {
    log(`A leftover ${what} could not be removed; the next start tries again`, { error: String(error) })
  }
}
