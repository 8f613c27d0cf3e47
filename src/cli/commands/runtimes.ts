import { accessSync, constants } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Command } from 'commander'
import { CliError } from '../failure.ts'
import { HostClient, type HostOptions } from '../host-client.ts'
import { colours, errorColours, note, print, printJson, table } from '../output.ts'
import { loadSettings, type SettingFlags, withSettings } from '../setting-flags.ts'
import { example, withHost, withJson } from './shared.ts'

interface Options extends SettingFlags {
  readonly json?: boolean
}

/** A row of GET /_hearth/runtimes. */
export interface RuntimeRow {
  readonly runtime: string
  readonly state: 'ready' | 'buildable' | 'unavailable'
  readonly image?: string
  readonly reason?: string
  readonly sizeBytes?: number
  readonly substitute?: string
}

export function runtimesCommand(): Command {
  const command = new Command('runtimes').description('list, build, export or import the images that functions run in')
  command.addCommand(list(), { isDefault: true })
  command.addCommand(build())
  command.addCommand(exportImages())
  command.addCommand(importImages())
  return command.addHelpText('after', example('hearth runtimes', 'hearth runtimes build nodejs22.x'))
}

function list(): Command {
  const command = new Command('list')
    .description('list the runtimes and their images on the running host')
    .option('--all', 'also list runtimes that are not available, with the reason')
    .addHelpText('after', example('hearth runtimes', 'hearth runtimes list --all --json'))
    .action(async (options: HostOptions & { all?: boolean; json?: boolean }) => {
      const rows = await new HostClient(options).json<RuntimeRow[]>({ method: 'GET', path: '/_hearth/runtimes' })
      const shown = options.all ? rows : rows.filter((row) => row.state !== 'unavailable')
      if (options.json) return printJson(shown)
      print(table(['RUNTIME', 'STATE', 'SIZE', 'IMAGE'], shown.map(cells)))
      const hidden = rows.length - shown.length
      if (hidden > 0) note(`${hidden} more are not available here: hearth runtimes list --all shows why.`)
    })
  return withHost(command)
}

function cells(row: RuntimeRow): string[] {
  const size = row.sizeBytes === undefined ? '' : `${Math.round(row.sizeBytes / 1024 / 1024)} MB`
  const substitute = row.substitute === undefined ? '' : colours.yellow(`  in place of it: ${row.substitute}`)
  return [row.runtime, row.state, size, row.image === undefined ? (row.reason ?? '') : `${row.image}${substitute}`]
}

function build(): Command {
  const command = new Command('build')
    .description('build the images that are missing or out of date; the first time takes minutes')
    .argument('[runtimes...]', 'runtimes to build (default: all that can be built)')
    .addHelpText('after', example('hearth runtimes build', 'hearth runtimes build nodejs22.x python3.13'))
    .action(async (names: string[], options: Options) => {
      const images = await open(options)
      const rows = await images.list()
      const wanted =
        names.length > 0
          ? names
          : rows.filter((row) => row.state !== 'unavailable' && row.substitute === undefined).map((row) => row.runtime)
      for (const name of wanted) {
        const row = rows.find((one) => one.runtime === name)
        if (row === undefined)
          throw new CliError(`There is no runtime ${name}.`, '`hearth runtimes list --all` lists the runtimes.')
        if (row.state === 'unavailable') throw new CliError(row.reason ?? `${name} is not available.`)
      }
      await images.build(wanted)
      const after = (await images.list()).filter((row) => wanted.includes(row.runtime))
      if (options.json) printJson(after)
      else print(table(['RUNTIME', 'STATE', 'SIZE', 'IMAGE'], after.map(cells)))
    })
  return withJson(withSettings(command))
}

function exportImages(): Command {
  const command = new Command('export')
    .description('write all images on this machine to one file, for a machine without a network')
    .argument('<file>', 'the file: .tar, or .tar.gz to compress it')
    .addHelpText('after', example('hearth runtimes export runtimes.tar.gz'))
    .action(async (file: string, options: Options) => {
      checkFolder(resolve(file))
      await (await open(options)).exportTo(resolve(file))
      if (options.json) printJson({ exported: resolve(file) })
      else print(`exported ${file}`)
    })
  return withJson(withSettings(command))
}

/** Reading the images takes long: what cannot be written is said before. */
function checkFolder(file: string): void {
  try {
    accessSync(dirname(file), constants.W_OK)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CliError(`${file} cannot be written: ${reason}.`, 'Name a file in a folder that exists and is writable.')
  }
}

function importImages(): Command {
  const command = new Command('import')
    .description('read the images that `hearth runtimes export` wrote elsewhere')
    .argument('<file>', 'the file')
    .addHelpText('after', example('hearth runtimes import runtimes.tar.gz'))
    .action(async (file: string, options: Options) => {
      await (await open(options)).importFrom(resolve(file))
      if (options.json) printJson({ imported: resolve(file) })
      else print(`imported ${file}`)
    })
  return withJson(withSettings(command))
}

async function open(options: Options) {
  const { config } = loadSettings(options)
  // Loaded here and not at the top: the other commands talk HTTP and need no engine client.
  const { openRuntimeImages } = await import('../runtime-images.ts')
  const began = performance.now()
  return openRuntimeImages(config, (line) => {
    note(`${errorColours.dim(`[${((performance.now() - began) / 1000).toFixed(1).padStart(5)}s]`)} ${line}`)
  })
}
