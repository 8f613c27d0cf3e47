/**
 * The time by which events wait. It is the wall clock, as long as that does not run back. When it is set back, this one goes on at half its pace
 * until the wall clock has caught up: an event that was accepted a moment ago must not wait for the step, and its retry must not come early.
 * Both clocks agree again after twice the step. A step forward, or a suspend, is followed at once: what became due meanwhile is due.
 */
export function steadyClock(
  /** Unix milliseconds. */
  wall: () => number = Date.now,
  /** Monotonic milliseconds. */
  monotonic: () => number = () => performance.now(),
): () => number {
  let time = wall()
  let readAt = monotonic()
  return () => {
    const now = monotonic()
    time = Math.max(wall(), time + (now - readAt) / 2)
    readAt = now
    return Math.floor(time)
  }
}
