/** What `hearth` prints: results on stdout, everything else on stderr; colours only on a terminal (NO_COLOR is honoured). */
import pc from 'picocolors'

export const colours = pc.createColors(process.stdout.isTTY === true && pc.isColorSupported)
export const errorColours = pc.createColors(process.stderr.isTTY === true && pc.isColorSupported)

/** Exit status of a program that SIGPIPE ended, as shells report it. */
const READER_GONE = 141

let needsReader = true

/**
 * Who reads the output may go first: `hearth logs f | head`, or Ctrl-C of `hearth start 2>&1 | tee log`, which ends tee too.
 * A command whose results nobody reads ends; remarks are never worth ending for.
 */
function readerGone(): void {
  if (needsReader) process.exit(READER_GONE)
}

export function watchReaders(): void {
  if (process.stdout.listeners('error').includes(readerGone)) return
  process.stdout.on('error', readerGone)
  process.stderr.on('error', () => {})
}

/** For a command that does more than print: it goes on without its reader. */
export function goOnWithoutReader(): void {
  needsReader = false
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, 2))
}

/** Progress and remarks. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Columns as wide as their widest cell; the last one is not padded. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const safe = rows.map((row) => row.map(plain))
  const widths = head.map((title, column) => Math.max(title.length, ...safe.map((row) => row[column]?.length ?? 0)))
  const lay = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  return [colours.dim(lay(head)), ...safe.map(lay)].join('\n')
}

/** Text from elsewhere without control characters: a log line or a description must not command the terminal. */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd')
}
