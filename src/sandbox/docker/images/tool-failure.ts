/** A program of the preparation that failed: its last error for a sentence, all that it printed for a file. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SandboxError } from '../../driver.ts'

/** Characters of output that are kept, from its end, and of the error that is shown. */
export const KEPT_CHARACTERS = 256 * 1024
const SHOWN_CHARACTERS = 300

/** How the programs that prepare images begin the line that says what went wrong: pip, apt, npm, compilers. */
const ERROR_LINE = /^(ERROR\b|E: |npm (error|ERR!)|fatal\b|error\b|.*: (fatal )?error: )/i

export class ToolFailure extends SandboxError {
  /** Without the codes of colours. */
  readonly output: string

  /** @param what begins the message, e.g. `"npm ci" failed (exit 1)` */
  constructor(what: string, code: string, output: string, remedy: string) {
    const plain = plainOutput(output)
    super('unexpected', code, `${what}: ${lastError(plain)}`, remedy)
    this.output = plain
  }
}

/** Text as a file takes it: programs that believe to have a terminal colour what they print and go back to the start of a line. */
function plainOutput(text: string): string {
  return (
    text
      .slice(-KEPT_CHARACTERS)
      .replaceAll('\r\n', '\n')
      .replaceAll('\r', '\n')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
      .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]|[\u0000-\u0008\u000b-\u001f\u007f]/g, '')
  )
}

/** The last line that calls itself an error, else the last one. */
function lastError(output: string): string {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const found = lines.findLast((line) => ERROR_LINE.test(line)) ?? lines.at(-1) ?? 'it printed nothing'
  return found.length > SHOWN_CHARACTERS ? `${found.slice(0, SHOWN_CHARACTERS)}…` : found
}

/** The error of a step for an operator: one sentence. All that its program printed goes into a file of the folder, one for each step. */
export async function failedStep(step: string, folder: string, error: unknown): Promise<unknown> {
  if (!(error instanceof ToolFailure)) return error
  const file = join(folder, `${step.replace(/[^\w.-]+/g, '-')}.log`)
  const written = await mkdir(folder, { recursive: true })
    .then(() => writeFile(file, error.output))
    .then(
      () => ` (all that it printed: ${file})`,
      () => '',
    )
  return new SandboxError(
    'unexpected',
    error.code,
    `the step "${step}" failed: ${error.message}${written}`,
    error.remedy,
    error,
  )
}
