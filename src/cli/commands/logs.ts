import { Command } from 'commander'
import { CliError } from '../failure.ts'
import { findFunction } from '../functions.ts'
import { HostClient, type HostOptions } from '../host-client.ts'
import { colours, note, plain, print } from '../output.ts'
import { example, timeAgo, wholeNumber, withHost } from './shared.ts'

interface Options extends HostOptions {
  readonly follow?: boolean
  readonly since?: number
  readonly limit?: number
  readonly json?: boolean
}

export function logsCommand(): Command {
  const command = new Command('logs')
    .description("print a function's log")
    .argument('<name>', 'name of a function, or of a log group (starts with /)')
    .option('-f, --follow', 'keep printing new lines until Ctrl-C')
    .option('--since <time>', 'only lines since a time: 90s, 10m, 2h or 1d ago, or a date', (text) => timeAgo(text))
    .option('--limit <lines>', 'number of newest lines to print (default 10000, at most 100000)', wholeNumber)
    .addHelpText(
      'after',
      example('hearth logs hello --since 10m', 'hearth logs hello -f', 'hearth logs hello --account 111122223333'),
    )
    .action(async (name: string, options: Options) => {
      const host = new HostClient(options)
      const query = new URLSearchParams({ [name.startsWith('/') ? 'group' : 'function']: name })
      if (options.since !== undefined) query.set('since', String(Math.max(0, options.since)))
      if (options.limit !== undefined) query.set('limit', String(options.limit))
      if (options.follow) query.set('follow', '1')
      const stop = new AbortController()
      process.once('SIGINT', () => stop.abort())
      let lines = 0
      try {
        for await (const line of host.lines({ method: 'GET', path: `/_hearth/logs?${query}` }, stop.signal)) {
          if (line.trim() === '') continue
          lines++
          print(options.json ? line : readable(line))
        }
      } catch (error) {
        if (stop.signal.aborted) return
        throw error
      }
      if (stop.signal.aborted) return
      if (options.follow) throw new CliError('The log ended because the host stopped.')
      if (lines === 0) await explainNothing(host, name, options)
    })
  return withHost(command)
}

/** A deleted function may have left a log; one that never was is a slip of the keyboard. */
async function explainNothing(host: HostClient, name: string, { since }: Options): Promise<void> {
  if (!name.startsWith('/') && (await findFunction(host, name)) === undefined) {
    throw new CliError(
      `There is no function ${name} and no log of it ${host.place}.`,
      '`hearth ls` lists the functions; --account and --region choose where to look.',
    )
  }
  const when = since === undefined ? 'yet' : 'since then'
  note(`${name} has not logged anything ${when} ${host.place}. --account and --region choose where to look.`)
}

function readable(line: string): string {
  const { timestamp, message } = JSON.parse(line) as { timestamp: number; message: string }
  return `${colours.dim(new Date(timestamp).toISOString())} ${plain(message.trimEnd())}`
}
