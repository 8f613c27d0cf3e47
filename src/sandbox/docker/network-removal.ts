/** Removing networks of ours for good, also where containers that are gone, or nearly, are still on them for the engine. */
import { setTimeout as sleep } from 'node:timers/promises'
import type Dockerode from 'dockerode'
import { bounded, statusOf } from './errors.ts'
import { LABELS } from './labels.ts'

const LIMIT_MS = 30_000
const TRIES = 5
/** Doubled at each try: 1.5 seconds in all. */
const FIRST_PAUSE_MS = 100

/** Resolves when the network is gone. Rejects with the last SandboxError when it could not be removed. */
export async function removeNetwork(docker: Dockerode, nameOrId: string): Promise<void> {
  const network = docker.getNetwork(nameOrId)
  for (let attempt = 1; ; attempt++) {
    try {
      await bounded(LIMIT_MS, 'remove a network', (abortSignal) => network.remove({ abortSignal }))
      return
    } catch (error) {
      if (statusOf((error as Error).cause) === 404) return
      if (attempt === TRIES || !/active endpoints/i.test(String(error))) throw error
      // What keeps it may go by itself, and may refuse to: the next try says so.
      await disconnectAll(docker, network).catch(() => undefined)
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1))
    }
  }
}

/** Takes the containers off that the maker of the network made, and those that are gone. Others stay: somebody put them there. */
async function disconnectAll(docker: Dockerode, network: Dockerode.Network): Promise<void> {
  const { Containers = {}, Labels } = (await bounded(LIMIT_MS, 'look at a network', () =>
    network.inspect(),
  )) as Dockerode.NetworkInspectInfo
  for (const [id, { Name }] of Object.entries(Containers)) {
    const owner = await ownerOf(docker, id)
    if (owner !== undefined && owner !== Labels?.[LABELS.owner]) continue
    // By name: that is the name of the endpoint, which outlives its container.
    await bounded(LIMIT_MS, 'disconnect a container', (abortSignal) =>
      network.disconnect({ Container: Name, Force: true, abortSignal }),
    )
  }
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
