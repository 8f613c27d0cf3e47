/**
 * THE state table of an execution environment. Everything that is not listed is refused. `ExecutionEnvironment.apply` is the only
 * writer of the state; docs/lifecycle.md is checked against this table.
 *
 * - Starting: a place in the network, a listener and a sandbox are being made.
 * - Init: the runtime boots and loads the function; ends with its first `next`.
 * - Idle: waits for an invocation. After a Reset the runtime is not running: the next Invoke starts with a suppressed init.
 * - Invoke: runs one invocation, from the event until the runtime asks for the next one.
 * - Reset: every process is being killed; /tmp stays.
 * - Shutdown: the sandbox is being removed.
 * - Terminated: nothing is left.
 */

export type LifecycleState = 'Starting' | 'Init' | 'Idle' | 'Invoke' | 'Reset' | 'Shutdown' | 'Terminated'

export type LifecycleEvent =
  /** The sandbox runs and the runtime in it was started. */
  | 'started'
  /** The runtime asked for its first event. */
  | 'initialized'
  /** Init ended with an error, an exit or the 10 s limit. */
  | 'initFailed'
  /** An invocation was given to this environment. */
  | 'invoke'
  /** The runtime asked for the next event: the invocation is over. */
  | 'completed'
  /** The invocation ended by timeout, exit, or an answer that the runtime cannot go on from. */
  | 'failed'
  /** The runtime exited between two invocations. */
  | 'exited'
  /** All processes are gone, /tmp is still there. */
  | 'resetDone'
  /** Idle for too long, retired by an update or a deletion, given up for another function, lost, never made, or the host stops. */
  | 'shutdown'
  /** The sandbox is removed. */
  | 'removed'

export const LIFECYCLE: Readonly<Record<LifecycleState, Partial<Record<LifecycleEvent, LifecycleState>>>> = {
  Starting: { started: 'Init', shutdown: 'Shutdown' },
  Init: { initialized: 'Idle', initFailed: 'Reset', shutdown: 'Shutdown' },
  Idle: { invoke: 'Invoke', exited: 'Reset', shutdown: 'Shutdown' },
  Invoke: { completed: 'Idle', failed: 'Reset', shutdown: 'Shutdown' },
  Reset: { resetDone: 'Idle', shutdown: 'Shutdown' },
  Shutdown: { removed: 'Terminated' },
  Terminated: {},
}

export class IllegalTransition extends Error {
  override readonly name = 'IllegalTransition'
}

/** The state after `event`. @throws IllegalTransition for every pair that the table does not list. */
export function next(state: LifecycleState, event: LifecycleEvent): LifecycleState {
  const to = LIFECYCLE[state][event]
  if (to === undefined) throw new IllegalTransition(`an environment in state ${state} cannot take the event '${event}'`)
  return to
}

export function allows(state: LifecycleState, event: LifecycleEvent): boolean {
  return LIFECYCLE[state][event] !== undefined
}
