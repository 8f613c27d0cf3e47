import { Command } from 'commander'
import { deleteFunction } from '../functions.ts'
import { HostClient, type HostOptions } from '../host-client.ts'
import { print, printJson } from '../output.ts'
import { example, withHost } from './shared.ts'

export function rmCommand(): Command {
  const command = new Command('rm')
    .description('delete functions with all their versions and aliases')
    .argument('<names...>', 'names of functions')
    .addHelpText('after', example('hearth rm hello'))
    .action(async (names: string[], options: HostOptions & { json?: boolean }) => {
      const host = new HostClient(options)
      for (const name of names) {
        await deleteFunction(host, name)
        if (!options.json) print(`deleted ${name}`)
      }
      if (options.json) printJson({ deleted: names })
    })
  return withHost(command)
}
