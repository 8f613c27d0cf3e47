/** The host's own log on stderr: JSON lines for machines, or the same as one line of text for people. */
import { Writable } from 'node:stream'
import { type Logger, pino } from 'pino'
import type { Config } from '../config.ts'
import { errorColours, plain } from './output.ts'

export function createHostLog(
  config: Pick<Config, 'logLevel' | 'logFormat'>,
  out: NodeJS.WritableStream = process.stderr,
): Logger {
  const options = { level: config.logLevel, base: null }
  if (config.logFormat === 'json') return pino(options, { write: (line: string) => void out.write(line) })
  return pino(
    options,
    new Writable({
      // What cannot be written is lost: the host goes on when the reader of its log has gone.
      write: (chunk: Buffer, _encoding, done) => void out.write(readable(chunk.toString('utf8')), () => done()),
    }),
  )
}

const LEVELS: Readonly<Record<number, string>> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
}

/** `12:34:56 WARN message key=value`; the stack of an error on the lines after it. */
export function readable(line: string): string {
  const { level, time, msg, err, ...rest } = JSON.parse(line) as {
    level: number
    time: number
    msg?: string
    err?: { message?: string; stack?: string }
  } & Record<string, unknown>
  const clock = new Date(time).toTimeString().slice(0, 8)
  const name = LEVELS[level] ?? String(level)
  const coloured =
    level >= 50 ? errorColours.red(name) : level >= 40 ? errorColours.yellow(name) : errorColours.dim(name)
  const pairs = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  const head = [
    errorColours.dim(clock),
    coloured,
    plain(msg ?? err?.message ?? ''),
    errorColours.dim(plain(pairs.join(' '))),
  ]
  const stack = err?.stack === undefined ? '' : `\n${errorColours.dim(plain(err.stack))}`
  return `${head.filter((part) => part !== '').join(' ')}${stack}\n`
}
