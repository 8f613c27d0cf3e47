/** What hosts that crashed left in the engine: containers, networks and packet filter chains. owner.ts decides what is a leftover. */
import type Dockerode from 'dockerode'
import pLimit from 'p-limit'
import { SandboxError } from '../driver.ts'
import { bounded } from './engine/errors.ts'
import { type Identity, LABELS } from './engine/labels.ts'
import { isLeftover } from './engine/owner.ts'
import { removeContainer } from './engine/removal.ts'
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
  const limit = pLimit(PARALLEL)
  /** How many of them are gone now. */
  const remove = async <T>(what: string, leftovers: readonly T[], removal: (one: T) => Promise<unknown>) => {
    const removed = leftovers.map(async (one) => {
      try {
        await limit(() => removal(one))
        return 1
      } catch (error) {
        const remedy = error instanceof SandboxError ? { remedy: error.remedy } : {}
        log(`A leftover ${what} could not be removed; the next start tries again`, { error: String(error), ...remedy })
        return 0
      }
    })
    return (await Promise.all(removed)).reduce<number>((sum, one) => sum + one, 0)
  }
  const containers = await remove('sandbox', all.filter(stale), ({ Id }) => removeContainer(docker, Id))

  const every = await bounded(LIMIT_MS, 'list networks', (abortSignal) => docker.listNetworks({ abortSignal }))
  const left = every.filter((network) => network.Labels?.[LABELS.owner] !== undefined && stale(network))
  const networks = await remove('network', left, ({ Id }) => removeNetwork(docker, Id))

  // Chains have no labels, but a bridge each; a network is made before its chain, so a chain without one is nobody's.
  const interfaces = (await firewall?.interfaces().catch(() => [])) ?? []
  const stay = await bounded(LIMIT_MS, 'list networks', (abortSignal) => docker.listNetworks({ abortSignal }))
  const bridges = new Set(stay.map((network) => network.Options?.[BRIDGE_OPTION]))
  let chains = 0
  // One after the other: they share the packet filter's lock.
  for (const name of interfaces.filter((one) => !bridges.has(one))) {
    chains += await remove('packet filter chain', [name], async (one) => firewall?.remove(one))
  }

  if (containers + networks + chains > 0) {
    log('Removed resources that an earlier host left behind', { containers, networks, chains })
  }
}
