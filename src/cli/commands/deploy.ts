import { Command } from 'commander'
import { deploy } from '../deployment.ts'
import { CliError } from '../failure.ts'
import { HostClient, type HostOptions } from '../host-client.ts'
import { colours, errorColours, note, print, printJson } from '../output.ts'
import { readPackage } from '../package/package.ts'
import { example, pair, wholeNumber, withHost } from './shared.ts'

interface Options extends HostOptions {
  readonly name?: string
  readonly runtime?: string
  readonly handler?: string
  readonly memory?: number
  readonly timeout?: number
  readonly env?: Readonly<Record<string, string>>
  readonly json?: boolean
}

export function deployCommand(): Command {
  const command = new Command('deploy')
    .description('create or update a function from a folder or a zip')
    .argument('<path>', 'folder or zip with the function')
    .option('--name <name>', "the function's name (default: that of the folder or zip)")
    .option('--runtime <runtime>', 'for example nodejs22.x (default: found from the files)')
    .option('--handler <handler>', 'for example index.handler (default: found from the files)')
    .option('--memory <mb>', 'MemorySize in MB', wholeNumber)
    .option('--timeout <seconds>', 'Timeout in seconds', wholeNumber)
    .option('--env <name=value>', 'environment variable; may be repeated; other variables keep their values', pair)
    .addHelpText(
      'after',
      example('hearth deploy ./hello', 'hearth deploy build.zip --name orders --memory 512 --env TABLE=orders'),
    )
    .action(async (path: string, options: Options) => {
      const host = new HostClient(options)
      const source = await readPackage(path, options)
      for (const text of source.notes) note(errorColours.yellow(text))
      const name = options.name ?? source.name
      if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
        throw new CliError(
          `${JSON.stringify(name)} cannot be a function's name: letters, digits, - and _, at most 64.`,
          'Give one with --name.',
        )
      }
      const result = await deploy(host, name, source, options, note)
      if (options.json) return printJson({ action: result.action, function: result.function })
      const { Runtime = '', Handler = '', MemorySize, Timeout } = result.function
      print(
        `${colours.green(result.action)} ${colours.bold(name)}  ${Runtime}  ${Handler}  ${MemorySize} MB  ${Timeout} s`,
      )
      if (result.action !== 'unchanged') note(`Try it: hearth invoke ${name} '{"name":"you"}'`)
    })
  return withHost(command)
}
