/** A body while it arrives, at a cost that its sender does not decide. */

/** Chunks held as they came; more are copied together, since a million one-byte chunks would cost a hundred bytes each. */
const LOOSE_CHUNKS = 64

const EMPTY = Buffer.alloc(0)

/** Bytes in the order they came; one chunk alone, the usual case, is never copied. */
export class Chunks {
  #merged: Buffer = EMPTY
  #mergedBytes = 0
  #loose: Uint8Array[] = []
  #looseBytes = 0

  add(chunk: Uint8Array): void {
    this.#loose.push(chunk)
    this.#looseBytes += chunk.length
    if (this.#loose.length >= LOOSE_CHUNKS) this.#merge()
  }

  whole(): Uint8Array {
    if (this.#mergedBytes === 0 && this.#loose.length <= 1) return this.#loose[0] ?? EMPTY
    if (this.#mergedBytes === 0) return Buffer.concat(this.#loose, this.#looseBytes)
    this.#merge()
    return this.#merged.subarray(0, this.#mergedBytes)
  }

  #merge(): void {
    const needed = this.#mergedBytes + this.#looseBytes
    if (needed > this.#merged.length) {
      const grown = Buffer.allocUnsafe(needed * 2)
      this.#merged.copy(grown, 0, 0, this.#mergedBytes)
      this.#merged = grown
    }
    for (const chunk of this.#loose) {
      this.#merged.set(chunk, this.#mergedBytes)
      this.#mergedBytes += chunk.length
    }
    this.#loose = []
    this.#looseBytes = 0
  }
}
