/**
 * Committed changes of functions, in order, each at a position. A reader keeps the position up to which it has dealt with them: one that is
 * slow or fails reads on from there, and what it has not read yet is not lost.
 */
import type { FunctionKey } from '../lambda/function.ts'

export interface ChangesRead {
  /** Where the next read goes on. */
  readonly position: number
  /** Oldest first, a function as often as it changed. `gap`: the feed does not go back that far; everything may have changed. */
  readonly keys: readonly FunctionKey[] | 'gap'
}

export interface ChangeFeed {
  /**
   * Of the newest change. Positions count up from 0, and only for this opening of the store: whoever begins to read, begins at the position of
   * that moment and then looks at what the store holds.
   */
  readonly position: number
  /** What changed after a position. Never waits: a feed that has its changes from elsewhere keeps the newest ones at hand. */
  read(after: number): ChangesRead
  /**
   * Calls `wake` after each change, before whoever made it gets its answer. It is a hint: the change is read by position.
   * Returns the unsubscribe function.
   */
  onChange(wake: () => void): () => void
}
