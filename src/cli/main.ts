/** The command line `hearth`. */
import { Command, CommanderError } from 'commander'
import { ConfigError } from '../config.ts'
import { configCommand } from './commands/config.ts'
import { deployCommand } from './commands/deploy.ts'
import { invokeCommand } from './commands/invoke.ts'
import { keysCommand } from './commands/keys.ts'
import { logsCommand } from './commands/logs.ts'
import { lsCommand } from './commands/ls.ts'
import { queueCommand } from './commands/queue.ts'
import { rmCommand } from './commands/rm.ts'
import { runtimesCommand } from './commands/runtimes.ts'
import { example } from './commands/shared.ts'
import { signCommand } from './commands/sign.ts'
import { startCommand } from './commands/start.ts'
import { CliError, EXIT } from './failure.ts'
import { errorColours, note, watchReaders } from './output.ts'
import { projectVersion } from './project.ts'

export function createProgram(): Command {
  const program = new Command('hearth')
    .description('A self-hosted function host that speaks the AWS Lambda API.')
    .version(projectVersion())
    .showHelpAfterError('(add --help to see commands and options)')
    .exitOverride()
  const commands = [
    startCommand(),
    deployCommand(),
    invokeCommand(),
    logsCommand(),
    lsCommand(),
    queueCommand(),
    rmCommand(),
    runtimesCommand(),
    keysCommand(),
    signCommand(),
    configCommand(),
  ]
  for (const command of commands) program.addCommand(command)
  program.addHelpText('after', example('hearth start --example hello', `hearth invoke hello '{"name":"you"}' --log`))
  inherit(program)
  return program
}

/** `addCommand` does not hand these down. */
function inherit(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command)
    inherit(child)
  }
}

/** Runs one command line (without `node` and the script) and returns its exit status. Never throws. */
export async function main(args: readonly string[]): Promise<number> {
  watchReaders()
  try {
    await createProgram().parseAsync(args as string[], { from: 'user' })
    return Number(process.exitCode ?? EXIT.ok)
  } catch (error) {
    return report(error)
  }
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode
  if (error instanceof ConfigError) {
    for (const problem of error.problems) note(`${errorColours.red('error:')} ${problem}`)
    note('`hearth config --help` lists the settings; docs/configuration.md explains them.')
  } else if (error instanceof CliError) {
    note(`${errorColours.red('error:')} ${error.message}`)
    if (error.hint !== undefined) note(error.hint)
  } else if (hasRemedy(error)) {
    note(`${errorColours.red('error:')} ${error.message}`)
    note(error.remedy)
  } else {
    note(`${errorColours.red('error:')} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  }
  return EXIT.failed
}

/** The host's own errors say what the operator can do. */
function hasRemedy(error: unknown): error is Error & { remedy: string } {
  return error instanceof Error && 'remedy' in error && typeof error.remedy === 'string'
}
