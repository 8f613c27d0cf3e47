/** Options that several commands have, and their values. */
import { type Command, InvalidArgumentError } from 'commander'

/** `--endpoint-url`, `--region`, `--account`, `--json`. */
export function withHost(command: Command): Command {
  return withJson(
    command
      .option('--endpoint-url <url>', 'the host to talk to (HEARTH_ENDPOINT; default http://127.0.0.1:9000)')
      .option('--region <region>', "region to act in (default: AWS_REGION, else the host's)")
      .option(
        '--account <id>',
        "account to act in, twelve digits (default: that of AWS_ACCESS_KEY_ID, else the host's)",
      ),
  )
}

export function withJson(command: Command): Command {
  return command.option('--json', 'print the result as JSON')
}

/** Help text that ends with an example. */
export function example(...lines: string[]): string {
  return `\n${lines.length === 1 ? 'Example' : 'Examples'}:\n${lines.map((line) => `  $ ${line}`).join('\n')}`
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

/** Collects repeated `NAME=VALUE`. */
export function pair(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It must be NAME=VALUE.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A time ago (`90s`, `10m`, `2h`, `1d`) or a date, in Unix milliseconds. */
export function timeAgo(text: string, now = Date.now()): number {
  const match = /^(\d{1,6})([smhd])$/.exec(text)
  if (match) return now - Number(match[1]) * UNIT_MS[match[2]!]!
  const date = Date.parse(text)
  if (Number.isNaN(date))
    throw new InvalidArgumentError(
      'It must be a time ago such as 90s, 10m, 2h or 1d, or a date such as 2026-01-31T12:00:00Z.',
    )
  return date
}
