/** One running sandbox: the connection to its supervisor, and what the host knows of it. */
import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type Dockerode from 'dockerode'
import type { CellSpec, Sandbox, SandboxObserver } from '../driver.ts'
import { limitCpu } from './cpu.ts'
import type { ContainerEvent } from './engine/events.ts'
import { Demultiplexer, MarkerFilter } from './output.ts'
import { command, Lines, parseReport, type Report } from './supervisor.ts'

/** A supervisor answers within a millisecond; one that does not for so long is stuck with a process that cannot be killed. */
const STOP_LIMIT_MS = 30_000
const USAGE_LIMIT_MS = 1000
/** Markers sent and not come back: beyond this the function holds its output up, and waiting for it is pointless. */
const PENDING_MARKERS = 64
const MIB = 1024 * 1024

/** How long the engine took for the parts of a start, milliseconds. */
export interface StartPhases {
  createMs: number
  attachMs: number
  startMs: number
}

export interface ContainerOptions {
  readonly container: Dockerode.Container
  readonly cell: Pick<CellSpec, 'memoryMb'>
  readonly observer: SandboxObserver
  readonly log: (message: string, fields?: object) => void
  /** Removes the container and all that belongs to it; never throws. */
  readonly remove: (sandbox: DockerSandbox) => Promise<void>
}

export class DockerSandbox implements Sandbox {
  readonly id: string
  readonly phases: StartPhases = { createMs: 0, attachMs: 0, startMs: 0 }
  readonly #options: ContainerOptions
  readonly #output: MarkerFilter
  #stream: Duplex | undefined
  #started = false
  /** Why nothing comes from it any more; `undefined` while it lives. */
  #over: string | undefined
  #destroyed: Promise<void> | undefined
  #stopping: { readonly done: Promise<void>; readonly resolve: () => void } | undefined
  #asking: { readonly answer: Promise<void>; readonly resolve: () => void } | undefined
  #peakBytes = 0
  /** The engine saw the out-of-memory killer since the runtime started. */
  #oomEvent = false
  #exitCode: number | undefined

  constructor(options: ContainerOptions) {
    this.#options = options
    this.id = options.container.id
    this.#output = new MarkerFilter((chunk) => {
      if (!this.#destroyed) options.observer.output(chunk)
    })
  }

  /** The stream of the engine's attach call; before the container is started, so that nothing is missed. */
  connect(stream: Duplex): void {
    this.#stream = stream
    const lines = new Lines((line) => {
      const report = parseReport(line)
      if (report && this.#over === undefined) this.#report(report)
    })
    const frames = new Demultiplexer(
      (chunk) => this.#output.write(chunk),
      (chunk) => lines.write(chunk),
    )
    stream.on('data', (chunk: Buffer) => frames.write(chunk))
    stream.on('error', () => undefined)
    stream.once('end', () => this.#ended())
    stream.once('close', () => this.#ended())
    // The engine's client sends its options as a request body, part of which may arrive as input: an empty line ends that.
    this.#send('\n')
  }

  /** The engine's start call succeeded: from now on its end is a loss. */
  started(): void {
    this.#started = true
    if (this.#over !== undefined && !this.#destroyed) this.#options.observer.lost(this.#over)
  }

  /** The engine's start call failed: the observer hears nothing more, and nothing was removed. */
  discard(): void {
    this.#settle('not started')
    this.#stream?.destroy()
  }

  event(event: ContainerEvent): void {
    if (event.kind === 'oom') this.#oomEvent = true
    else {
      this.#exitCode = event.exitCode
      // Output may still be on its way; the stream ends by itself. If not, the event is all that ever comes.
      setTimeout(() => this.#ended(), 1000).unref()
    }
  }

  flush(timeoutMs: number): Promise<void> {
    if (this.#over !== undefined || this.#destroyed || this.#output.pending >= PENDING_MARKERS) return Promise.resolve()
    return new Promise((resolve) => {
      const nonce = randomBytes(16).toString('hex')
      const timer = setTimeout(resolve, timeoutMs)
      this.#output.expect(nonce, () => {
        clearTimeout(timer)
        resolve()
      })
      this.#send(command.mark(nonce))
    })
  }

  async stop(): Promise<void> {
    if (this.#over !== undefined || this.#destroyed) return
    if (!this.#stopping) {
      const stopping = signal()
      this.#stopping = { done: stopping.promise, resolve: stopping.resolve }
      const timer = setTimeout(() => {
        this.#lose('its processes could not be killed')
        void this.destroy('processes that could not be killed')
      }, STOP_LIMIT_MS)
      void stopping.promise.then(() => clearTimeout(timer))
      this.#send(command.stop)
    }
    await this.#stopping.done
  }

  boot(): void {
    this.#peakBytes = 0
    this.#oomEvent = false
    this.#send(command.boot)
  }

  async limitCpu(): Promise<void> {
    if (this.#over !== undefined || this.#destroyed) return
    const { container, cell, log } = this.#options
    await limitCpu(container, cell.memoryMb).catch((error) => {
      // A sandbox that ended meanwhile has no CPU to limit.
      if (this.#over === undefined && !this.#destroyed) {
        log('The CPU of a sandbox could not be limited', { sandbox: this.id, error: String(error) })
      }
    })
  }

  async maxMemoryBytes(): Promise<number> {
    if (this.#over === undefined && !this.#destroyed) {
      if (!this.#asking) {
        const asking = signal()
        const timer = setTimeout(asking.resolve, USAGE_LIMIT_MS)
        this.#asking = { answer: asking.promise, resolve: asking.resolve }
        void asking.promise.then(() => {
          clearTimeout(timer)
          this.#asking = undefined
        })
        this.#send(command.usage)
      }
      await this.#asking.answer
    }
    return this.#peakBytes
  }

  destroy(reason: string): Promise<void> {
    this.#destroyed ??= this.#destroy(reason)
    return this.#destroyed
  }

  async #destroy(reason: string): Promise<void> {
    // Runs after the assignment above, so that nothing is told to the observer any more.
    await Promise.resolve()
    // The function ends now, its container in its turn: where many containers end at once, the engine loses count of their network's
    // endpoints, and the network cannot be removed before it restarts (measured: 20.10, 96 containers).
    this.#send(command.stop)
    this.#settle(`destroyed: ${reason}`)
    await this.#options.remove(this)
    this.#stream?.destroy()
  }

  #report(report: Report): void {
    const { observer, cell } = this.#options
    switch (report.kind) {
      case 'stopped':
        this.#stopping?.resolve()
        this.#stopping = undefined
        return
      case 'usage':
        // Shared pages are counted once for each process; more than its limit the sandbox never has.
        this.#peakBytes = Math.max(this.#peakBytes, Math.min(report.bytes, cell.memoryMb * MIB))
        this.#asking?.resolve()
        return
      case 'exit':
        if (this.#stopping || this.#destroyed) return
        observer.exit({ ...report.exit, outOfMemory: report.exit.outOfMemory || this.#oomEvent })
        return
      case 'launch':
        if (this.#stopping || this.#destroyed) return
        observer.launchFailure(report.failure)
    }
  }

  #ended(): void {
    const how =
      this.#exitCode === undefined
        ? 'its connection to the engine ended'
        : `its supervisor ended with status ${this.#exitCode}`
    this.#lose(this.#oomEvent ? `${how}, after the out-of-memory killer` : how)
  }

  #lose(reason: string): void {
    if (this.#over !== undefined) return
    this.#settle(reason)
    if (this.#started && !this.#destroyed) this.#options.observer.lost(reason)
  }

  /** Nobody waits for it any longer. */
  #settle(reason: string): void {
    if (this.#over !== undefined) return
    this.#output.end()
    this.#over = reason
    this.#stopping?.resolve()
    this.#asking?.resolve()
  }

  #send(text: string): void {
    if (this.#over === undefined && this.#stream?.writable) this.#stream.write(text)
  }
}

function signal(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
