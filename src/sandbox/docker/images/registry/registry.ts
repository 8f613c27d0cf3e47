/** Images in registries, as the operator may see them: what a name stands for now, and pulling in bounded time. */
import type Dockerode from 'dockerode'
import { withCallSignal } from '../../engine/call-signal.ts'
import { readToEnd } from '../engine.ts'
import { credentialsFor } from './registry-credentials.ts'

/** The registry wants credentials, or others. */
export function isRefusal(error: unknown): boolean {
  const { statusCode, message = '' } = error as { statusCode?: number; message?: string }
  return statusCode === 401 || /unauthorized|no basic auth|denied\b|forbidden/i.test(message)
}

/** Digest of the image that its registry has under this name. @throws with the engine's reason */
export async function digestInRegistry(docker: Dockerode, name: string, signal?: AbortSignal): Promise<string> {
  const authconfig = await credentialsFor(name)
  const ask = () => docker.getImage(name).distribution({ authconfig })
  const { Descriptor } = (await (signal === undefined ? ask() : withCallSignal(signal, ask))) as {
    Descriptor?: { digest?: unknown }
  }
  const digest = Descriptor?.digest
  if (typeof digest === 'string' && /^sha256:[0-9a-f]{64}$/.test(digest)) return digest
  throw new Error('the registry names no digest')
}

export interface PullBounds {
  /** Milliseconds without a word from the registry, after which it is given up. */
  readonly silenceMs: number
  readonly totalMs: number
}

/** @throws with the engine's reason, or that it took too long */
export async function pullImage(docker: Dockerode, name: string, { silenceMs, totalMs }: PullBounds): Promise<void> {
  const authconfig = await credentialsFor(name)
  const abort = new AbortController()
  const late = new Error('the registry is too slow')
  const total = setTimeout(() => abort.abort(late), totalMs)
  let silence = setTimeout(() => abort.abort(late), silenceMs)
  try {
    const stream = await docker.pull(name, { authconfig, abortSignal: abort.signal })
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
