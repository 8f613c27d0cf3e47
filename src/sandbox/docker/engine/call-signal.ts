/**
 * Ties the time limit of a call to the requests that it makes of the engine. Some methods of the engine's client drop the signal they are
 * given, and it is easily forgotten: a request that nobody waits for any more would keep its connection for as long as the engine hangs.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type Dockerode from 'dockerode'

const current = new AsyncLocalStorage<AbortSignal>()

/** Requests that begin in `call` are destroyed when the signal aborts; so are the streams of their answers. */
export function withCallSignal<T>(signal: AbortSignal, call: () => T): T {
  return current.run(signal, call)
}

interface Modem {
  dial(options: { abortSignal?: AbortSignal }, callback: (error: unknown, data: unknown) => void): void
}

/** Gives every request of this client the signal of the call that it belongs to, unless it has one of its own. */
export function followCallSignals(docker: Dockerode): void {
  const modem = docker.modem as Modem
  const dial = modem.dial.bind(modem)
  modem.dial = (options, callback) => {
    const signal = current.getStore()
    if (signal !== undefined) options.abortSignal ??= signal
    dial(options, callback)
  }
}
