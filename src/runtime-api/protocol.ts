/**
 * Which call the runtime and each internal extension may make next, as two tables. Pure: nothing here knows sockets or time.
 * The state names are those of AWS's own Runtime API and appear in its 403 bodies, `RuntimeResponseSentState` included.
 * docs/runtime-api.md shows both tables; a test compares them.
 */

export type RuntimeState =
  /** The process was started and has not called yet. */
  | 'Started'
  | 'InitError'
  /** Waiting in `next`. */
  | 'Ready'
  /** Has an event and has not begun to answer it. */
  | 'Running'
  /** The body of …/response is being read. */
  | 'InvocationResponse'
  /** The body of …/error is being read. */
  | 'InvocationErrorResponse'
  | 'RuntimeResponseSentState'

/** Calls of the runtime. */
export type RuntimeCall = 'next' | 'response' | 'error' | 'initError'

/** What the host does itself: the event goes out, the answer is complete (or failed for good). */
export type RuntimeStep = 'delivered' | 'answered'

type Transitions<State extends string, Event extends string> = Readonly<
  Record<State, Readonly<Partial<Record<Event, State>>>>
>

/** Everything unlisted is refused. */
export const RUNTIME_TRANSITIONS: Transitions<RuntimeState, RuntimeCall | RuntimeStep> = {
  Started: { next: 'Ready', initError: 'InitError' },
  InitError: {},
  // A client that lost its connection calls `next` again and must not notice: in Ready it waits, in Running it gets the same event.
  Ready: { next: 'Ready', delivered: 'Running' },
  Running: { next: 'Running', response: 'InvocationResponse', error: 'InvocationErrorResponse' },
  InvocationResponse: { answered: 'RuntimeResponseSentState' },
  InvocationErrorResponse: { answered: 'RuntimeResponseSentState' },
  RuntimeResponseSentState: { next: 'Ready' },
}

/** The state that each call asks for, as the refusal names it. */
export const RUNTIME_CALL_TARGET: Readonly<Record<RuntimeCall, RuntimeState>> = {
  next: 'Ready',
  response: 'InvocationResponse',
  error: 'InvocationErrorResponse',
  initError: 'InitError',
}

export type ExtensionState = 'Started' | 'Registered' | 'Ready' | 'Running' | 'InitError' | 'ExitError'

export type ExtensionCall = 'register' | 'next' | 'initError' | 'exitError'

export type ExtensionStep = 'delivered'

export const EXTENSION_TRANSITIONS: Transitions<ExtensionState, ExtensionCall | ExtensionStep> = {
  Started: { register: 'Registered' },
  Registered: { next: 'Ready', initError: 'InitError', exitError: 'ExitError' },
  Ready: { next: 'Ready', delivered: 'Running', exitError: 'ExitError' },
  Running: { next: 'Ready', exitError: 'ExitError' },
  // Both may be repeated; only the first report counts.
  InitError: { initError: 'InitError', exitError: 'ExitError' },
  ExitError: { exitError: 'ExitError' },
}

const EXTENSION_CALL_TARGET: Readonly<Record<ExtensionCall, ExtensionState>> = {
  register: 'Registered',
  next: 'Ready',
  initError: 'InitError',
  exitError: 'ExitError',
}

/** The state after the event, or `undefined` when the event is illegal in this state. */
export function nextRuntimeState(state: RuntimeState, event: RuntimeCall | RuntimeStep): RuntimeState | undefined {
  return RUNTIME_TRANSITIONS[state][event]
}

/** The state after the event, or `undefined` when the event is illegal in this state. */
export function nextExtensionState(
  state: ExtensionState,
  event: ExtensionCall | ExtensionStep,
): ExtensionState | undefined {
  return EXTENSION_TRANSITIONS[state][event]
}

/** Text of the 403 that an illegal call of the runtime gets. */
export function runtimeRefusal(state: RuntimeState, call: RuntimeCall): string {
  return `State transition from ${state} to ${RUNTIME_CALL_TARGET[call]} failed for runtime. Error: State transition is not allowed`
}

/** Text of the 403 that an illegal call of an extension gets. */
export function extensionRefusal(state: ExtensionState, call: ExtensionCall, name: string): string {
  return `State transition from ${state} to ${EXTENSION_CALL_TARGET[call]} failed for extension ${name}. Error: State transition is not allowed`
}
