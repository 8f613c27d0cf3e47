import { Command } from 'commander'
import { type FunctionSummary, listFunctions } from '../functions.ts'
import { HostClient, type HostOptions } from '../host-client.ts'
import { note, print, printJson, table } from '../output.ts'
import { example, withHost } from './shared.ts'

export function lsCommand(): Command {
  const command = new Command('ls')
    .description('list the functions')
    .addHelpText('after', example('hearth ls', 'hearth ls --region eu-central-1 --json'))
    .action(async (options: HostOptions & { json?: boolean }) => {
      const host = new HostClient(options)
      const functions = await listFunctions(host)
      if (options.json) return printJson(functions)
      if (functions.length === 0) {
        return note(`No functions ${host.place}. Create one: hearth deploy FOLDER`)
      }
      const rows = functions.map((one) => [
        one.FunctionName,
        one.Runtime ?? '',
        one.Handler ?? '',
        `${one.MemorySize} MB`,
        `${one.Timeout} s`,
        stateOf(one),
        one.LastModified.replace(/\.\d+\+0000$/, 'Z'),
      ])
      print(table(['NAME', 'RUNTIME', 'HANDLER', 'MEMORY', 'TIMEOUT', 'STATE', 'MODIFIED'], rows))
    })
  return withHost(command)
}

/** In a word what GetFunctionConfiguration says of a function and of its last update. */
function stateOf({ State = '?', LastUpdateStatus }: FunctionSummary): string {
  if (LastUpdateStatus === 'Failed') return `${State}, update failed`
  return LastUpdateStatus === 'InProgress' ? `${State}, updating` : State
}
