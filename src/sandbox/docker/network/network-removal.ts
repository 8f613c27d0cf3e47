/** Removing networks of ours for good, also where containers that are gone, or nearly, are still on them for the engine. */
import { setTimeout as sleep } from 'node:timers/promises'
import type Dockerode from 'dockerode'
import { bounded, statusOf } from '../engine/errors.ts'
import { LABELS } from '../engine/labels.ts'

const LIMIT_MS = 30_000
const TRIES = 5
/** Doubled at each try: 1.5 seconds in all. */
const FIRST_PAUSE_MS = 100

/** Resolves when the network is gone. Rejects with the last SandboxError when it could not be removed. */
export async function removeNetwork(docker: Dockerode, nameOrId: string): Promise<void> {
  const network = docker.getNetwork(nameOrId)
  for (let left = TRIES, pauseMs = FIRST_PAUSE_MS; ; left--, pauseMs *= 2) {
    try {
      await bounded(LIMIT_MS, 'remove a network', (abortSignal) => network.remove({ abortSignal }))
      return
    } catch (error) {
      if (statusOf((error as Error).cause) === 404) return
      if (left === 1 || !/active endpoints/i.test(String(error))) throw error
      const found = await disconnectAll(docker, network)
      // Nobody is on it: the last one left just now, or the engine lost count, which only its restart mends.
      if (found === 0) left = 2
      await sleep(pauseMs)
    }
  }
}

/**
 * Takes the containers off that the maker of the network made, and those that are gone. Others stay: somebody put them there. Returns the
 * number of all.
 */
async function disconnectAll(docker: Dockerode, network: Dockerode.Network): Promise<number> {
  const facts: Dockerode.NetworkInspectInfo = await bounded(LIMIT_MS, 'look at a network', () => network.inspect())
  const endpoints = Object.entries(facts.Containers ?? {})
  for (const [id, { Name }] of endpoints) {
    const owner = await ownerOf(docker, id)
    if (owner !== undefined && owner !== facts.Labels?.[LABELS.owner]) continue
    // By name: that is the name of the endpoint, which outlives its container.
    await bounded(
      LIMIT_MS,
      'disconnect a container',
      (abortSignal) => network.disconnect({ Container: Name, Force: true, abortSignal }),
      // The next removal says whether it is still in the way.
    ).catch(() => undefined)
  }
  return endpoints.length
}

/** Label of the container; `undefined`: it is gone. */
async function ownerOf(docker: Dockerode, id: string): Promise<string | undefined> {
  try {
    const { Config } = await bounded(LIMIT_MS, 'look at a container', (abortSignal) =>
      docker.getContainer(id).inspect({ abortSignal }),
    )
    return Config.Labels?.[LABELS.owner] ?? ''
  } catch (error) {
    if (statusOf((error as Error).cause) === 404) return undefined
    throw error
  }
}
