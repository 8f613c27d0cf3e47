import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { CliError, EXIT } from '../failure.ts'
import { functionPath } from '../functions.ts'
import { HostClient, type HostOptions } from '../host-client.ts'
import { colours, errorColours, note, plain, print, printJson } from '../output.ts'
import { example, withHost } from './shared.ts'

interface Options extends HostOptions {
  readonly log?: boolean
  readonly async?: boolean
  readonly qualifier?: string
  readonly json?: boolean
}

/** What a function's failure looks like in every official runtime. */
interface FailureBody {
  readonly errorType?: unknown
  readonly errorMessage?: unknown
  readonly stackTrace?: unknown
  readonly trace?: unknown
}

export function invokeCommand(): Command {
  const command = new Command('invoke')
    .description('invoke a function and print its answer')
    .argument('<name>', 'name or ARN of the function')
    .argument('[payload]', 'JSON; @file reads a file, - reads stdin', '{}')
    .option('--qualifier <qualifier>', 'version or alias')
    .option('--log', "print the last lines of the function's log")
    .option('--async', 'queue the event and do not wait for the answer (InvocationType Event)')
    .addHelpText(
      'after',
      example(
        `hearth invoke hello '{"name":"you"}' --log`,
        'hearth invoke hello @event.json --qualifier live',
        'cat event.json | hearth invoke hello - --async',
      ),
    )
    .action(async (name: string, payload: string, options: Options) => {
      if (options.async && options.log)
        throw new CliError('--log cannot show the log of an event that runs later.', `Use \`hearth logs ${name} -f\`.`)
      const host = new HostClient(options)
      const query = options.qualifier === undefined ? '' : `?Qualifier=${encodeURIComponent(options.qualifier)}`
      const answer = await host.must({
        method: 'POST',
        path: functionPath(name, `/invocations${query}`),
        headers: {
          'Content-Type': 'application/json',
          'X-Amz-Invocation-Type': options.async ? 'Event' : 'RequestResponse',
          ...(options.log ? { 'X-Amz-Log-Type': 'Tail' } : {}),
        },
        body: await readPayload(payload),
      })
      const requestId = answer.headers['x-amzn-requestid'] ?? ''
      const functionError = answer.headers['x-amz-function-error']
      const text = utf8(answer.body)
      const log = answer.headers['x-amz-log-result']
      const tail = log === undefined ? undefined : Buffer.from(log, 'base64').toString('utf8')
      if (functionError !== undefined) process.exitCode = EXIT.functionError
      if (options.json) {
        return printJson({
          statusCode: answer.status,
          executedVersion: answer.headers['x-amz-executed-version'],
          functionError,
          requestId,
          ...(text === undefined ? { payloadBase64: answer.body.toString('base64') } : { payload: parse(text) }),
          log: tail,
        })
      }
      if (tail !== undefined) note(errorColours.dim(plain(tail.trimEnd())))
      if (options.async) return note(`Queued, request ${requestId}. Follow it with \`hearth logs ${name} -f\`.`)
      if (functionError === undefined) return show(answer.body, text)
      note(failure(functionError, text ?? answer.body.toString('latin1')))
    })
  return withHost(command)
}

async function readPayload(argument: string): Promise<Uint8Array | string> {
  try {
    if (argument.startsWith('@')) return readFileSync(argument.slice(1))
    if (argument !== '-') return argument
    const chunks: Buffer[] = []
    for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Buffer))
    return Buffer.concat(chunks)
  } catch (error) {
    throw new CliError(`The payload cannot be read: ${error instanceof Error ? error.message : String(error)}.`)
  }
}

/** `undefined`: the bytes are no UTF-8, and a text made of them would be another answer. */
function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** JSON is indented for a person; a program behind a pipe gets the very bytes that the function answered. */
function show(bytes: Buffer, text: string | undefined): void {
  if (process.stdout.isTTY !== true) {
    process.stdout.write(bytes)
    return
  }
  if (text === undefined) {
    note(`The function answered ${bytes.length} bytes that are not text. Write them to a file with > FILE.`)
    return
  }
  const value = parse(text)
  print(typeof value === 'object' && value !== null ? JSON.stringify(value, undefined, 2) : plain(text))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export function failure(kind: string, text: string): string {
  const body = parse(text) as FailureBody | null
  const title = errorColours.red(`The function failed (${kind})`)
  if (typeof body !== 'object' || body === null) return `${title}: ${plain(text)}`
  const type = body.errorType === undefined ? '' : `${colours.bold(plain(String(body.errorType)))}: `
  const stack = Array.isArray(body.stackTrace) ? body.stackTrace : Array.isArray(body.trace) ? body.trace.slice(1) : []
  const lines = stack.map((line) => errorColours.dim(`  ${plain(String(line)).trim()}`))
  return [`${title}: ${type}${plain(String(body.errorMessage ?? text))}`, ...lines].join('\n')
}
