/**
 * A first invoke by phase: `npm run bench:cold [-- rounds]`. Baseline: `docker run` of the same image and handler with the same limits,
 * from the command to the first call of the Runtime API, on the engine's default bridge.
 */
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DeleteFunctionCommand, InvokeCommand } from '@aws-sdk/client-lambda'
import { connect } from '../src/sandbox/docker/engine/client.ts'
import { createFunction } from '../test/support/functions.ts'
import { testClient } from '../test/support/host.ts'
import { median } from './load.ts'
import { codeFolder, HANDLER, IMAGE, RUNTIME, setUp } from './setting.ts'

const ROUNDS = Number(process.argv[2] ?? 15)
const MEMORY_MB = 1769

const setting = await setUp()
const client = testClient(setting.host.url)
const code = codeFolder(setting.folder)
const gateway = await defaultGateway()

/** The host's address on the engine's default bridge; some engines do not name it, but it is always the first of the subnet. */
async function defaultGateway(): Promise<string> {
  const { IPAM } = (await connect().getNetwork('bridge').inspect()) as {
    IPAM: { Config: { Gateway?: string; Subnet: string }[] }
  }
  const { Gateway, Subnet } = IPAM.Config[0]!
  return Gateway ?? Subnet.replace(/\d+\/\d+$/, '1')
}

/** Milliseconds from `docker run` to the runtime's first request. */
async function dockerRun(): Promise<number> {
  const name = `hearth-bench-${process.pid}`
  let called: () => void = () => {}
  let failed: (error: Error) => void = () => {}
  const first = new Promise<void>((resolve, reject) => {
    called = resolve
    failed = reject
  })
  const server = createServer(() => called())
  await new Promise<void>((resolve) => server.listen(0, gateway, resolve))
  const address = `${gateway}:${(server.address() as AddressInfo).port}`
  const environment = {
    AWS_LAMBDA_RUNTIME_API: address,
    AWS_LAMBDA_FUNCTION_NAME: 'bench',
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(MEMORY_MB),
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x',
    LAMBDA_TASK_ROOT: '/var/task',
    _HANDLER: 'index.handler',
  }
  const began = performance.now()
  const child = spawn('docker', [
    'run',
    '--rm',
    '--name',
    name,
    '--read-only',
    '--tmpfs',
    '/tmp:exec',
    '--memory',
    `${MEMORY_MB}m`,
    '--cap-drop',
    'ALL',
    '--security-opt',
    'no-new-privileges',
    '--log-driver',
    'none',
    '-v',
    `${code}:/var/task:ro`,
    ...Object.entries(environment).flatMap(([key, value]) => ['-e', `${key}=${value}`]),
    IMAGE,
    'index.handler',
  ])
  child.once('exit', (status) =>
    failed(new Error(`docker run ended with status ${status} before the runtime's first call`)),
  )
  await first
  const took = performance.now() - began
  const exited = new Promise((resolve) => child.once('exit', resolve))
  spawn('docker', ['kill', name])
  await exited
  server.closeAllConnections()
  server.close()
  return took
}

/** Milliseconds of a first invoke, from the request to the answer. */
async function firstInvoke(round: number): Promise<number> {
  const FunctionName = `bench-${round}`
  await createFunction(client, FunctionName, { 'index.js': HANDLER }, { Runtime: RUNTIME, MemorySize: MEMORY_MB })
  const began = performance.now()
  const answer = await client.send(new InvokeCommand({ FunctionName, Payload: '{}' }))
  const took = performance.now() - began
  if (answer.FunctionError !== undefined) throw new Error(Buffer.from(answer.Payload!).toString())
  await client.send(new DeleteFunctionCommand({ FunctionName }))
  await new Promise((resolve) => setTimeout(resolve, 500))
  return took
}

async function phases(): Promise<string[]> {
  const text = await (await fetch(`${setting.host.url}/_hearth/metrics`)).text()
  const value = (kind: string, phase: string) =>
    Number(new RegExp(`hearth_environment_start_seconds_${kind}\\{phase="${phase}"\\} (\\S+)`).exec(text)?.[1])
  return ['reserve', 'listen', 'sandbox', 'init'].map(
    (phase) => `| ${phase} (mean) | | ${((value('sum', phase) / value('count', phase)) * 1000).toFixed(1)} ms | |`,
  )
}

try {
  const baseline: number[] = []
  const ours: number[] = []
  await dockerRun()
  await firstInvoke(-1)
  for (let round = 0; round < ROUNDS; round++) {
    baseline.push(await dockerRun())
    ours.push(await firstInvoke(round))
  }
  const [raw, cold] = [median(baseline), median(ours)]
  process.stdout.write(
    `| cold start, median of ${ROUNDS} interleaved rounds | docker run | Hearth | ratio |
| --- | --- | --- | --- |
| first invoke | ${raw.toFixed(0)} ms | ${cold.toFixed(0)} ms | ${(cold / raw).toFixed(2)} |
${(await phases()).join('\n')}
`,
  )
} finally {
  client.destroy()
  await setting.end()
}
