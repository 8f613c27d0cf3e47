/**
 * Memory for request bodies, shared by all uploads: each is bounded by itself, but ten at once (Terraform's default) would take gigabytes
 * and the process with them. An upload that has no room is not read yet; its client waits, as on a slow line.
 */
export class BodyRoom {
  readonly #bytes: number
  #free: number
  readonly #waiting: { readonly bytes: number; readonly admit: () => void }[] = []

  /** @param bytes of all bodies; a larger one has it for itself */
  constructor(bytes: number) {
    this.#bytes = bytes
    this.#free = bytes
  }

  /** Resolves when the body has its room, in the order of the calls; the function gives it back. */
  async acquire(wanted: number): Promise<() => void> {
    const bytes = Math.min(wanted, this.#bytes)
    if (this.#waiting.length > 0 || bytes > this.#free) {
      await new Promise<void>((admit) => this.#waiting.push({ bytes, admit }))
    } else {
      this.#free -= bytes
    }
    return () => this.#release(bytes)
  }

  #release(bytes: number): void {
    this.#free += bytes
    for (let next = this.#waiting[0]; next !== undefined && next.bytes <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift()
      this.#free -= next.bytes
      next.admit()
    }
  }
}
