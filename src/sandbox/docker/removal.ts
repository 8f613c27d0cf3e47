/** Removing containers for good: the engine may be busy, restarting, or removing the same one already. */
import { setTimeout as sleep } from 'node:timers/promises'
import type Dockerode from 'dockerode'
import { bounded, statusOf } from './errors.ts'

const LIMIT_MS = 60_000
const TRIES = 8
/** Doubled at each try: 12 seconds in all. */
const FIRST_PAUSE_MS = 50

/** Resolves when the container is gone. Rejects with the last SandboxError when it could not be removed. */
export async function removeContainer(docker: Dockerode, nameOrId: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await bounded(LIMIT_MS, 'remove a sandbox', (abortSignal) =>
        docker.getContainer(nameOrId).remove({ force: true, v: true, abortSignal }),
      )
      return
    } catch (error) {
      if (statusOf((error as Error).cause) === 404) return
      // 409: somebody else is removing it; the 404 of a later try says when that is done.
      if (attempt === TRIES) throw error
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1))
    }
  }
}
