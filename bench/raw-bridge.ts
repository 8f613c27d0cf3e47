/**
 * The baseline of warm.ts: the least that can stand between a caller and a runtime. POST on one port, the Runtime API on another, a
 * queue of waiting runtimes between them; no checks, no logs, no limits. Same sandboxes as Hearth's.
 *
 * Run as its own process: `raw-bridge.ts <data folder> <code folder> <image> <sandboxes> <memory MB>`; prints `{"endpoint": …}`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DockerDriver } from '../src/sandbox/docker/driver.ts'
import { connect } from '../src/sandbox/docker/engine/client.ts'
import { DockerRuntimeImages } from '../src/sandbox/docker/images/runtime-images.ts'

const [data, codePath, image, sandboxes, memoryMb] = process.argv.slice(2) as [string, string, string, string, string]

const docker = connect()
const images = new DockerRuntimeImages({
  docker,
  cacheDir: join(data, 'cache'),
  map: {},
  prefer: 'hearth',
  substitute: 'off',
  progress: () => {},
})
const driver = new DockerDriver({
  docker,
  instance: 'rawbridge',
  dataDir: data,
  supervisor: () => images.supervisorPath(),
  tools: () => images.toolsImage(),
  functionReach: [],
  maxParallelStarts: 4,
  log: () => {},
})
await driver.open()

const runtimes: ServerResponse[] = []
const events: { body: Buffer; caller: ServerResponse }[] = []
const callers = new Map<string, ServerResponse>()
let ids = 0

function pair(): void {
  while (runtimes.length > 0 && events.length > 0) {
    const { body, caller } = events.shift()!
    const id = `00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`
    callers.set(id, caller)
    runtimes
      .pop()!
      .writeHead(200, {
        'Content-Type': 'application/json',
        'Content-Length': body.length,
        'Lambda-Runtime-Aws-Request-Id': id,
        'Lambda-Runtime-Deadline-Ms': Date.now() + 3000,
        'Lambda-Runtime-Invoked-Function-Arn': 'arn:aws:lambda:us-east-1:000000000000:function:bench',
      })
      .end(body)
  }
}

function collect(request: IncomingMessage, use: (body: Buffer) => void): void {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => use(Buffer.concat(chunks)))
}

const runtimeApi = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (request, response) => {
  if (request.method === 'GET') {
    runtimes.push(response)
    pair()
    return
  }
  collect(request, (body) => {
    response.writeHead(202, { 'Content-Type': 'application/json', 'Content-Length': 16 }).end('{"status":"OK"}\n')
    const id = request.url!.split('/')[4]!
    callers.get(id)?.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length }).end(body)
    callers.delete(id)
  })
})
const api = createServer((request, response) => {
  collect(request, (body) => {
    events.push({ body, caller: response })
    pair()
  })
})

const first = await driver.reserve()
await new Promise<void>((resolve) => runtimeApi.listen(0, first.hostAddress, resolve))
const { port } = runtimeApi.address() as AddressInfo
await driver.admit(first.hostAddress, port, port)
for (let i = 0; i < Number(sandboxes); i++) {
  const place = i === 0 ? first : await driver.reserve()
  const sandbox = await driver.start(
    {
      place,
      image,
      memoryMb: Number(memoryMb),
      ephemeralStorageMb: 512,
      functionArn: 'bench',
    },
    {
      codePath,
      environment: {
        AWS_LAMBDA_RUNTIME_API: `${first.hostAddress}:${port}`,
        AWS_LAMBDA_FUNCTION_NAME: 'bench',
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: memoryMb,
        AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x',
        LAMBDA_TASK_ROOT: '/var/task',
        _HANDLER: 'index.handler',
        PATH: '/var/lang/bin:/usr/local/bin:/usr/bin:/bin',
      },
    },
    { output: () => {}, exit: () => {}, launchFailure: () => {}, lost: () => {} },
  )
  await sandbox.limitCpu()
}
await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
process.stdout.write(`${JSON.stringify({ endpoint: `http://127.0.0.1:${(api.address() as AddressInfo).port}` })}\n`)
process.once('SIGTERM', () => {
  driver.close().finally(() => process.exit(0))
})
