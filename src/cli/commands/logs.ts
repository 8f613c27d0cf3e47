import { Command } from 'commander'
import { CliError } from '../failure.ts'
import { HostClient, type HostOptions } from '../host-client.ts'
import { colours, plain, print } from '../output.ts'
import { example, timeAgo, withHost } from './shared.ts'

interface Options extends HostOptions {
  readonly follow?: boolean
  readonly since?: number
  readonly limit?: string
  readonly json?: boolean
}

export function logsCommand(): Command {
  const command = new Command('logs')
    .description("print a function's log")
    .argument('<name>', 'name of the function, or of a log group (starts with /)')
    .option('-f, --follow', 'go on with new lines until Ctrl-C')
    .option('--since <time>', 'from this time on: 90s, 10m, 2h, 1d ago, or a date', (text) => timeAgo(text))
    .option('--limit <lines>', 'the newest lines only')
    .addHelpText('after', example('hearth logs hello --since 10m', 'hearth logs hello -f'))
    .action(async (name: string, options: Options) => {
      const host = new HostClient(options)
      const query = new URLSearchParams({ [name.startsWith('/') ? 'group' : 'function']: name })
      if (options.since !== undefined) query.set('since', String(Math.max(0, options.since)))
      if (options.limit !== undefined) query.set('limit', options.limit)
      if (options.follow) query.set('follow', '1')
      if (host.account !== undefined) query.set('account', host.account)
      if (host.region !== undefined) query.set('region', host.region)
      const stop = new AbortController()
      process.once('SIGINT', () => stop.abort())
      try {
        for await (const line of host.lines({ method: 'GET', path: `/_hearth/logs?${query}` }, stop.signal)) {
          if (line.trim() !== '') print(options.json ? line : readable(line))
        }
      } catch (error) {
        if (stop.signal.aborted) return
        throw error
      }
      if (options.follow && !stop.signal.aborted) throw new CliError('The host ended the log: it has stopped.')
    })
  return withHost(command)
}

function readable(line: string): string {
  const { timestamp, message } = JSON.parse(line) as { timestamp: number; message: string }
  return `${colours.dim(new Date(timestamp).toISOString())} ${plain(message.trimEnd())}`
}
