/** The function that the first start shows: on the runtime whose image is there, or can be had soonest, or can be had at all. */
import type { RuntimeRow } from './commands/runtimes.ts'
import { deploy } from './deployment.ts'
import { deleteFunction, FunctionFailed, findFunction } from './functions.ts'
import type { HostClient } from './host-client.ts'
import { readPackage } from './package/package.ts'

/** Runtimes an example can run on, the best introduction first. */
const RUNTIMES = ['nodejs22.x', 'nodejs24.x', 'nodejs20.x', 'python3.13', 'python3.11'] as const
/** Its image is built soonest: no compiler has to run for it. It needs PyPI. */
const QUICKEST = 'python3.11'
/** Needs npm and Debian's archive, and whoever runs this has npm. */
const SUREST = 'nodejs22.x'

/** Makes the function unless it is there. `say` hears what takes time. */
export async function putExample(
  host: HostClient,
  name: string,
  folder: string,
  say: (text: string) => void,
): Promise<void> {
  if ((await findFunction(host, name)) !== undefined) return
  const source = await readPackage(folder)
  const rows = await host.json<RuntimeRow[]>({ method: 'GET', path: '/_hearth/runtimes' })
  const ready = RUNTIMES.find((one) => rows.some((row) => row.runtime === one && row.state === 'ready'))
  const runtime = ready ?? QUICKEST
  try {
    await deploy(host, name, source, { runtime }, say)
  } catch (error) {
    if (!(error instanceof FunctionFailed) || runtime === SUREST) throw error
    say(`The image of ${runtime} could not be built; the example runs on ${SUREST} instead.`)
    await deleteFunction(host, name)
    await deploy(host, name, source, { runtime: SUREST }, say)
  }
}
