// Printing what is being done, and running other programs. Everything in scripts/ uses Node's built-ins only: it runs before
// any dependency is installed.
import { spawn } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))

/** A preparation that cannot go on. Its message is one sentence for the person who ran the command. */
export class Refusal extends Error {}

const started = performance.now() - process.uptime() * 1000
const durations = []

/** Seconds since the command began. */
export function seconds() {
  return (performance.now() - started) / 1000
}

/** To stderr, like all of a command's progress: stdout is for results. */
export function say(text) {
  process.stderr.write(`[${seconds().toFixed(1).padStart(5)}s] ${text}\n`)
}

/** Says what is being done, does it, and keeps how long it took. */
export async function step(text, action) {
  say(text)
  const begin = seconds()
  try {
    return await action()
  } finally {
    durations.push({ text, seconds: seconds() - begin })
  }
}

export function printDurations() {
  say('how long each step took:')
  for (const one of durations) process.stderr.write(`${one.seconds.toFixed(1).padStart(9)}s  ${one.text}\n`)
}

/**
 * Runs a program and gives its exit status. Its output is collected when `quiet`; else it is shown, on stderr unless it is a result.
 */
export function run(command, args, { quiet = false, result = false, env = {}, cwd = ROOT } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', quiet ? 'pipe' : result ? 1 : 2, quiet ? 'pipe' : 2],
    })
    let output = ''
    const collect = (chunk) => {
      output = (output + chunk).slice(-200_000)
    }
    child.stdout?.setEncoding('utf8').on('data', collect)
    child.stderr?.setEncoding('utf8').on('data', collect)
    child.once('error', (error) => resolve({ status: 127, output: error.message }))
    child.once('close', (code, signal) => resolve({ status: code ?? (signal === null ? 1 : 130), output }))
  })
}

/** Runs a program that must succeed; what it printed is shown only if it does not. */
export async function must(command, args, options = {}) {
  const { status, output } = await run(command, args, { quiet: true, ...options })
  if (status !== 0) throw failed(command, args, status, output)
  return output
}

/** Shows what a program printed that failed, and gives the error to throw. */
export function failed(command, args, status, output) {
  process.stderr.write(`${output.trimEnd().split('\n').slice(-40).join('\n')}\n`)
  return new Refusal(`\`${command} ${args.join(' ')}\` failed with status ${status}; what it printed is above.`)
}

/** Whether the program is there and works. */
export async function works(command, args = ['--version']) {
  return (await run(command, args, { quiet: true })).status === 0
}

/** Runs the command's own work; a Refusal becomes its sentence and exit status 1. */
export async function command(action) {
  try {
    process.exitCode = await action()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    process.stderr.write(`\n${error.message}\n`)
    process.exitCode = 1
  }
}
