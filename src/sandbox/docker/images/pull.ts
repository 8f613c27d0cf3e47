/** Pulling an image from its registry, in bounded time. */
import type Dockerode from 'dockerode'
import { readToEnd } from './engine.ts'

export interface PullBounds {
  /** Milliseconds without a word from the registry, after which it is given up. */
  readonly silenceMs: number
  readonly totalMs: number
}

/** @throws with the engine's reason, or that it took too long */
export async function pullImage(docker: Dockerode, name: string, { silenceMs, totalMs }: PullBounds): Promise<void> {
  const abort = new AbortController()
  const late = new Error('the registry is too slow')
  const total = setTimeout(() => abort.abort(late), totalMs)
  let silence = setTimeout(() => abort.abort(late), silenceMs)
  try {
    const stream = await docker.pull(name, { abortSignal: abort.signal })
    abort.signal.addEventListener('abort', () => (stream as NodeJS.ReadStream).destroy(late))
    await readToEnd(stream, () => {
      clearTimeout(silence)
      silence = setTimeout(() => abort.abort(late), silenceMs)
    })
  } catch (error) {
    throw abort.signal.aborted ? late : error
  } finally {
    clearTimeout(total)
    clearTimeout(silence)
  }
}
