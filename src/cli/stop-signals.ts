/** Ctrl-C and its relatives: the first asks to stop, the second stops at once. */

/**
 * npm passes on a Ctrl-C that the terminal has already sent to everybody: one key press arrives twice within a few milliseconds.
 * Nobody presses twice that fast.
 */
const ECHO_MS = 500

export interface StopSignals {
  /** Resolves with the name of the first signal. */
  readonly stopped: Promise<NodeJS.Signals>
}

export function listenForStop(
  kill: (signal: NodeJS.Signals) => void,
  now: () => number = () => performance.now(),
): StopSignals {
  let first: number | undefined
  let resolve: (signal: NodeJS.Signals) => void = () => {}
  const stopped = new Promise<NodeJS.Signals>((done) => {
    resolve = done
  })
  const hear = (signal: NodeJS.Signals): void => {
    if (first === undefined) {
      first = now()
      resolve(signal)
    } else if (now() - first > ECHO_MS) kill(signal)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, hear)
  return { stopped }
}
