/** Waits for a condition that must come true; the time limit of the test ends a wait in vain. */
export async function until<T>(
  what: () => Promise<T | undefined | false> | T | undefined | false,
  everyMs = 25,
): Promise<T> {
  for (;;) {
    const found = await what()
    if (found !== undefined && found !== false) return found as T
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
