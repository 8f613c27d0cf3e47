/** The line protocol of runtimes/supervisor, as the host sees it. */
import type { LaunchFailure, ProcessExit } from '../driver.ts'

export type Report =
  | { readonly kind: 'exit'; readonly exit: ProcessExit }
  | { readonly kind: 'launch'; readonly failure: LaunchFailure }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'usage'; readonly bytes: number }

/** Commands. Each ends its own line; `nonce` is hexadecimal. */
export const command = {
  boot: 'boot\n',
  stop: 'stop\n',
  usage: 'usage\n',
  mark: (nonce: string) => `mark ${nonce}\n`,
} as const

/** `undefined` for a line that is no report. */
export function parseReport(line: string): Report | undefined {
  if (line === 'stopped') return { kind: 'stopped' }
  const usage = /^usage (\d{1,15})$/.exec(line)
  if (usage) return { kind: 'usage', bytes: Number(usage[1]) * 1024 }
  const launch = /^launch (\S+) errno=(\w+) path=(.*)$/.exec(line)
  if (launch) {
    return { kind: 'launch', failure: { process: launch[1] ?? '', errno: launch[2] ?? '', path: launch[3] ?? '' } }
  }
  const exit = /^exit (\S+) (code|signal)=(\d{1,3}) oom=([01])$/.exec(line)
  if (!exit) return undefined
  const how = exit[2] === 'code' ? { code: Number(exit[3]) } : { signal: Number(exit[3]) }
  return { kind: 'exit', exit: { process: exit[1] ?? '', ...how, outOfMemory: exit[4] === '1' } }
}

/** Longer than any line that the supervisor writes, or the engine about a container. */
const LINE_CHARACTERS = 65_536

/** Cuts a stream of bytes into lines; a line that is too long is dropped. */
export class Lines {
  readonly #emit: (line: string) => void
  #rest = ''

  constructor(emit: (line: string) => void) {
    this.#emit = emit
  }

  write(chunk: Buffer): void {
    const lines = (this.#rest + chunk.toString('latin1')).split('\n')
    this.#rest = (lines.pop() ?? '').slice(0, LINE_CHARACTERS)
    for (const line of lines) if (line.length < LINE_CHARACTERS) this.#emit(line)
  }
}
