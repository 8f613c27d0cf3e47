/** What comes out of a container: the engine's frames taken apart, and markers found and removed. */

/** The engine's multiplexed stream: frames of 8 header bytes (stream, three zeros, length) and payload, cut anywhere. */
export class Demultiplexer {
  readonly #handlers: readonly [(chunk: Buffer) => void, (chunk: Buffer) => void]
  #header = Buffer.alloc(0)
  #stream = 0
  #rest = 0

  constructor(stdout: (chunk: Buffer) => void, stderr: (chunk: Buffer) => void) {
    this.#handlers = [stdout, stderr]
  }

  write(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#rest === 0) {
        const missing = 8 - this.#header.length
        this.#header = Buffer.concat([this.#header, chunk.subarray(at, at + missing)])
        at += missing
        if (this.#header.length < 8) return
        this.#stream = this.#header[0] ?? 0
        this.#rest = this.#header.readUInt32BE(4)
        this.#header = Buffer.alloc(0)
        continue
      }
      const part = chunk.subarray(at, at + this.#rest)
      at += part.length
      this.#rest -= part.length
      if (this.#stream === 1) this.#handlers[0](part)
      else if (this.#stream === 2) this.#handlers[1](part)
    }
  }
}

const MARK_START = Buffer.from('\x1ehearth-mark ')
/** Hex digits of a nonce: 128 bits, so that a function cannot write a marker before it has seen it. */
const NONCE_DIGITS = 32
const MARK_BYTES = MARK_START.length + NONCE_DIGITS + 1

/**
 * Passes output on, without the markers that the supervisor puts into it. A marker that was announced by `expect` tells that everything
 * written before it has been passed on; what only looks like one is output.
 */
export class MarkerFilter {
  readonly #emit: (chunk: Buffer) => void
  readonly #expected = new Map<string, () => void>()
  #held: Buffer = Buffer.alloc(0)

  constructor(emit: (chunk: Buffer) => void) {
    this.#emit = emit
  }

  /** Markers announced and not seen yet. */
  get pending(): number {
    return this.#expected.size
  }

  /** The marker is removed whenever it comes; `arrived` is called then. */
  expect(nonce: string, arrived: () => void): void {
    this.#expected.set(nonce, arrived)
  }

  write(chunk: Buffer): void {
    if (this.#expected.size === 0 && this.#held.length === 0) {
      this.#pass(chunk)
      return
    }
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    this.#held = Buffer.alloc(0)
    let from = 0
    for (let at = bytes.indexOf(MARK_START); at >= 0; at = bytes.indexOf(MARK_START, at)) {
      if (this.#expected.size === 0) break
      if (bytes.length - at < MARK_BYTES) {
        this.#pass(bytes.subarray(from, at))
        this.#held = bytes.subarray(at)
        return
      }
      const nonce = bytes.toString('latin1', at + MARK_START.length, at + MARK_BYTES - 1)
      const arrived = bytes[at + MARK_BYTES - 1] === 10 ? this.#expected.get(nonce) : undefined
      if (!arrived) {
        at += 1
        continue
      }
      this.#pass(bytes.subarray(from, at))
      at += MARK_BYTES
      from = at
      this.#expected.delete(nonce)
      arrived()
    }
    const rest = bytes.subarray(from)
    const kept = this.#expected.size === 0 ? 0 : startedMarker(rest)
    this.#pass(rest.subarray(0, rest.length - kept))
    this.#held = rest.subarray(rest.length - kept)
  }

  /** No more output comes: what was held back is output after all, and nobody waits any longer. */
  end(): void {
    this.#pass(this.#held)
    this.#held = Buffer.alloc(0)
    const waiting = [...this.#expected.values()]
    this.#expected.clear()
    for (const arrived of waiting) arrived()
  }

  #pass(chunk: Buffer): void {
    if (chunk.length > 0) this.#emit(chunk)
  }
}

/** Bytes at the end that may be the beginning of a marker. */
function startedMarker(bytes: Buffer): number {
  for (let length = Math.min(MARK_START.length - 1, bytes.length); length > 0; length--) {
    if (bytes.subarray(bytes.length - length).equals(MARK_START.subarray(0, length))) return length
  }
  return 0
}
