import { Command } from 'commander'
import { HostClient, type HostOptions } from '../host-client.ts'
import { note, print, printJson, table } from '../output.ts'
import { example, withHost } from './shared.ts'

/** What GET /_hearth/queue answers, as far as it is shown. */
interface Queue {
  readonly enqueued: number
  readonly waiting: number
  readonly claimed: number
  readonly done: number
  readonly dead: number
  readonly discarded: number
  readonly drift: number
  readonly usedBytes: number
  readonly maxBytes: number
  readonly oldestSeconds: number | null
  readonly functions: readonly (Omit<Queue, 'functions' | 'deliveries' | 'usedBytes' | 'maxBytes'> & {
    readonly account: string
    readonly region: string
    readonly function: string
  })[]
  readonly deliveries: {
    readonly waiting: number
    readonly delivered: number
    readonly abandoned: number
    readonly targets: readonly { readonly target: string; readonly waiting: number; readonly oldestSeconds: number }[]
  }
}

const COUNTS = ['waiting', 'claimed', 'done', 'dead', 'discarded', 'enqueued'] as const

export function queueCommand(): Command {
  const command = new Command('queue')
    .description('show the queue of asynchronous events and the deliveries to destinations')
    .addHelpText('after', example('hearth queue', 'hearth queue --json'))
    .action(async (options: HostOptions & { json?: boolean }) => {
      const host = new HostClient(options)
      const queue = await host.json<Queue>({ method: 'GET', path: '/_hearth/queue' })
      if (options.json) return printJson(queue)
      const functions = queue.functions.filter(
        ({ region, account }) =>
          (host.region === undefined || region === host.region) &&
          (host.account === undefined || account === host.account),
      )
      if (functions.length === 0) note('No function has had an asynchronous event.')
      else {
        const rows = functions.map((one) => [
          one.function,
          ...COUNTS.map((name) => String(one[name])),
          age(one.oldestSeconds),
        ])
        print(table(['FUNCTION', 'WAITING', 'RUNNING', 'DONE', 'FAILED', 'DISCARDED', 'ACCEPTED', 'OLDEST'], rows))
      }
      const { targets, abandoned } = queue.deliveries
      if (targets.length > 0) {
        const rows = targets.map((one) => [String(one.waiting), age(one.oldestSeconds), one.target])
        print(`\n${table(['WAITING', 'OLDEST', 'DESTINATION'], rows)}`)
      }
      if (abandoned > 0) note(`${abandoned} deliveries were given up; the host's log names them.`)
      if (queue.usedBytes >= queue.maxBytes) {
        note(
          'The queue is full: the host refuses new events until some of these end or you raise HEARTH_QUEUE_MAX_BYTES.',
        )
      }
      if (queue.drift !== 0)
        note(`The counts differ by ${queue.drift}. This is a defect of the host: please report it.`)
    })
  return withHost(command)
}

function age(seconds: number | null): string {
  if (seconds === null) return ''
  if (seconds < 120) return `${Math.round(seconds)} s`
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`
}
