/** Files that are read or written at the same time. */
const PARALLEL = 8

/** Does the work for all items, a few at a time. After a failure no further one is begun, and those under way are waited for. */
export async function inParallel<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const left = items[Symbol.iterator]()
  let failed = false
  const worker = async () => {
    for (let next = left.next(); !next.done && !failed; next = left.next()) {
      try {
        await work(next.value)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  // All of them must have stopped before the caller goes on: what they work on may be removed then.
  const results = await Promise.allSettled(Array.from({ length: PARALLEL }, worker))
  for (const result of results) if (result.status === 'rejected') throw result.reason
}
