/** One log event as one line of JSON: `[timestamp, message]`, and back. */
import { readFile } from 'node:fs/promises'
import type { LogEvent } from './log-store.ts'

export function toLine({ timestamp, message }: LogEvent): string {
  return `${JSON.stringify([timestamp, message])}\n`
}

/** `undefined` for a line that was torn by a crash. */
function parseLine(line: string): LogEvent | undefined {
  try {
    const value: unknown = JSON.parse(line)
    if (!Array.isArray(value)) return undefined
    const [timestamp, message] = value as unknown[]
    if (typeof timestamp !== 'number' || typeof message !== 'string') return undefined
    return { timestamp, message }
  } catch {
    return undefined
  }
}

/** The events of a file in the order they were written; none when the file is gone. Files are small, see `log-group.ts`. */
export async function readEvents(path: string): Promise<LogEvent[]> {
  const text = await readFile(path, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  return text.split('\n').flatMap((line) => parseLine(line) ?? [])
}
