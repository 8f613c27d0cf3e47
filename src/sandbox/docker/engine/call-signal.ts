/**
 * Ties the time limit of a call to the requests that it makes of the engine. Some methods of the engine's client drop the signal they are
 * given, and it is easily forgotten: a request that nobody waits for any more would keep its connection for as long as the engine hangs.
 */
import type Dockerode from 'dockerode'

let current: AbortSignal | undefined

/**
 * Requests that `call` begins before it first waits are destroyed when the signal aborts; so are the streams of their answers. An
 * AsyncLocalStorage would follow it further, at a price that every promise of the host pays: a tenth of a warm invoke.
 */
export function withCallSignal<T>(signal: AbortSignal, call: () => T): T {
  const before = current
  current = signal
  try {
    return call()
  } finally {
    current = before
  }
}

interface Modem {
  dial(options: { abortSignal?: AbortSignal }, callback: (error: unknown, data: unknown) => void): void
}

/** Gives every request of this client the signal of the call that it belongs to, unless it has one of its own. */
export function followCallSignals(docker: Dockerode): void {
  const modem = docker.modem as Modem
  const dial = modem.dial.bind(modem)
  modem.dial = (options, callback) => {
    if (current !== undefined) options.abortSignal ??= current
    dial(options, callback)
  }
}
