/**
 * Every runtime image that this project builds, run as the sandbox runs it (read-only root, no capabilities, AWS's user) against a small
 * Runtime API. What the image answers is compared with docs of AWS's runtimes; the host itself has no part in it.
 */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import Dockerode from 'dockerode'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { runtimeEnvironment } from '../../src/lambda/runtimes.ts'
import { DockerRuntimeImages } from '../../src/sandbox/docker/images/runtime-images.ts'

const RUNTIMES = [
  'nodejs20.x',
  'nodejs22.x',
  'nodejs24.x',
  'python3.11',
  'python3.13',
  'provided.al2023',
  'provided.al2',
] as const
const NODE = RUNTIMES.filter((runtime) => runtime.startsWith('nodejs'))
const PYTHON = RUNTIMES.filter((runtime) => runtime.startsWith('python'))
const PROVIDED = RUNTIMES.filter((runtime) => runtime.startsWith('provided'))

const docker = new Dockerode()
const images = new DockerRuntimeImages({
  docker,
  cacheDir: join(tmpdir(), 'hearth-image-cache'),
  map: {},
  prefer: 'hearth',
  substitute: 'off',
  progress: (line) => process.stderr.write(`${line}\n`),
})

/** Address of this machine on the engine's default bridge; older engines tell only the subnet, whose first address it is. */
let gateway = ''
beforeAll(async () => {
  await images.build(RUNTIMES)
  const bridge = (await docker.getNetwork('bridge').inspect()) as {
    IPAM: { Config: Array<{ Gateway?: string; Subnet: string }> }
  }
  const config = bridge.IPAM.Config.find(({ Subnet }) => Subnet.includes('.'))
  gateway = config?.Gateway ?? config?.Subnet.replace(/\d+\/\d+$/, '1') ?? ''
  expect(gateway, 'address of this machine on the default bridge').not.toBe('')
}, 15 * 60_000)

interface Answer {
  /** `response`, `error` or `init-error`. */
  readonly kind: string
  readonly body: Buffer
  readonly headers: IncomingMessage['headers']
}

/** One container with a Runtime API of its own. */
class Trial {
  readonly #server: Server
  #container: Dockerode.Container | undefined
  #waiting: ((event: string) => void) | undefined
  #answers: Answer[] = []
  #wake: (() => void) | undefined
  #count = 0
  exitCode: number | undefined
  #folders: string[] = []

  constructor() {
    this.#server = createServer(
      { maxHeaderSize: 2 ** 21, keepAliveTimeout: 0, requestTimeout: 0 },
      async (request, response) => {
        const path = request.url ?? ''
        if (path.endsWith('/invocation/next')) {
          this.#waiting = (event) => {
            this.#count += 1
            response.writeHead(200, {
              'content-type': 'application/json',
              'lambda-runtime-aws-request-id': `request-${this.#count}`,
              'lambda-runtime-deadline-ms': String(Date.now() + 60_000),
              'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:us-east-1:000000000000:function:trial',
              'lambda-runtime-trace-id': 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0',
            })
            response.end(event)
          }
          this.#wake?.()
          return
        }
        const chunks: Buffer[] = []
        for await (const chunk of request) chunks.push(chunk as Buffer)
        const kind = path.endsWith('/init/error') ? 'init-error' : (path.split('/').pop() ?? '')
        this.#answers.push({ kind, body: Buffer.concat(chunks), headers: request.headers })
        response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"OK"}')
        this.#wake?.()
      },
    )
  }

  async start(runtime: string, files: Record<string, string>, handler: string, more: StartOptions = {}): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, gateway, resolve))
    const { port } = this.#server.address() as AddressInfo
    const environment: Record<string, string> = {
      ...runtimeEnvironment(runtime),
      AWS_REGION: 'us-east-1',
      AWS_LAMBDA_RUNTIME_API: `${gateway}:${port}`,
      AWS_LAMBDA_FUNCTION_NAME: 'trial',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/trial',
      AWS_LAMBDA_LOG_STREAM_NAME: '2026/11/22/[$LATEST]0',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
      _HANDLER: handler,
      ...more.environment,
    }
    const binds = [
      `${await this.#folder(files, more.executable)}:/var/task:ro`,
      `${await this.#folder(more.layer ?? {})}:/opt:ro`,
    ]
    const container = await docker.createContainer({
      Image: await images.imageFor(runtime, 'x86_64'),
      Entrypoint: ['/var/runtime/bootstrap'],
      User: '993:990',
      WorkingDir: '/var/task',
      Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      Labels: { 'hearth.job': 'runtime-images-test' },
      HostConfig: {
        Binds: binds,
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        Tmpfs: { '/tmp': 'rw,exec,nosuid,nodev,size=64m,mode=1777' },
        Memory: 512 * 1024 * 1024,
        Init: true,
      },
    })
    this.#container = container
    await container.start()
    void container.wait().then(({ StatusCode }: { StatusCode: number }) => {
      this.exitCode = StatusCode
      this.#wake?.()
    })
  }

  async #folder(files: Record<string, string>, executable?: string): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'hearth-trial-'))
    this.#folders.push(folder)
    await chmod(folder, 0o755)
    for (const [name, text] of Object.entries(files)) {
      const path = join(folder, name)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, text)
      if (text.startsWith('#!') || name === executable) await chmod(path, 0o755)
    }
    return folder
  }

  async #until(reached: () => boolean): Promise<void> {
    while (!reached()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Gives an event to the runtime and waits for what it posts. */
  async invoke(event: unknown): Promise<Answer> {
    await this.#until(() => this.#waiting !== undefined || this.exitCode !== undefined)
    if (!this.#waiting)
      throw new Error(`exited with ${this.exitCode} before it asked for an event: ${await this.log()}`)
    const give = this.#waiting
    this.#waiting = undefined
    give(JSON.stringify(event))
    return this.answer()
  }

  async answer(): Promise<Answer> {
    await this.#until(() => this.#answers.length > 0 || this.exitCode !== undefined)
    const answer = this.#answers.shift()
    if (!answer) throw new Error(`exited with ${this.exitCode} without an answer: ${await this.log()}`)
    return answer
  }

  async exit(): Promise<number> {
    await this.#until(() => this.exitCode !== undefined)
    return this.exitCode ?? -1
  }

  async log(): Promise<string> {
    const log = await this.#container?.logs({ stdout: true, stderr: true })
    return log?.toString() ?? ''
  }

  async stop(): Promise<void> {
    await this.#container?.remove({ force: true, v: true }).catch(() => {})
    this.#server.closeAllConnections()
    this.#server.close()
    for (const folder of this.#folders) await rm(folder, { recursive: true, force: true })
  }
}

interface StartOptions {
  readonly environment?: Record<string, string>
  /** A file of /var/task that gets the x bit without being a script. */
  readonly executable?: string
  /** Content of /opt. */
  readonly layer?: Record<string, string>
}

let trials: Trial[] = []
const trial = async (...start: Parameters<Trial['start']>): Promise<Trial> => {
  const made = new Trial()
  trials.push(made)
  await made.start(...start)
  return made
}
const stopAll = async (): Promise<void> => {
  const stopping = trials
  trials = []
  await Promise.all(stopping.map((made) => made.stop()))
}
afterEach(stopAll)
afterAll(stopAll)

const parsed = (answer: Answer): unknown => JSON.parse(answer.body.toString())

describe.each(NODE)('%s', (runtime) => {
  const version = runtime.slice('nodejs'.length, -'.x'.length)

  test('answers events of a CommonJS handler, reports what it throws with the members of AWS’s body, and lives on', async () => {
    const code = `
      exports.handler = async (event, context) => {
        if (event.fail === 'string') throw 'a text'
        if (event.fail) throw new RangeError('out of range: ä€')
        const { execPath, version } = process
        return { event, id: context.awsRequestId, memory: context.memoryLimitInMB, cwd: process.cwd(), uid: process.getuid(), execPath, version }
      }`
    const made = await trial(runtime, { 'index.js': code }, 'index.handler')
    expect(parsed(await made.invoke({ text: 'grüße €😀' }))).toEqual({
      event: { text: 'grüße €😀' },
      id: 'request-1',
      memory: '512',
      cwd: '/var/task',
      uid: 993,
      execPath: '/var/lang/bin/node',
      version: expect.stringMatching(`^v${version}\\.`),
    })
    const failed = await made.invoke({ fail: true })
    expect(failed.kind).toBe('error')
    const body = parsed(failed) as Record<string, unknown>
    expect(Object.keys(body)).toEqual(['errorType', 'errorMessage', 'trace'])
    expect(body).toMatchObject({ errorType: 'RangeError', errorMessage: 'out of range: ä€' })
    expect((body.trace as string[])[0]).toBe('RangeError: out of range: ä€')
    expect(parsed(await made.invoke({ fail: 'string' }))).toMatchObject({ errorType: 'string', errorMessage: 'a text' })
    expect(parsed(await made.invoke({ after: 1 }))).toMatchObject({ event: { after: 1 }, id: 'request-4' })
    const log = await made.log()
    expect(log).not.toContain('Executing')
    expect(log).toContain('Invoke Error')
  })

  test(`${version === '24' ? 'can' : 'cannot'} require() an ES module, as on AWS, unless NODE_OPTIONS asks for it`, async () => {
    const files = {
      'app.js': 'exports.handler = async () => require("./module.mjs").value',
      'module.mjs': 'export const value = 1',
    }
    const made = await trial(runtime, files, 'app.handler')
    const answer = parsed(await made.invoke({}))
    if (version === '24') expect(answer).toBe(1)
    else
      expect(answer).toMatchObject({
        errorType: 'Error',
        errorMessage: expect.stringContaining('require() of ES Module'),
      })
    const asked = { environment: { NODE_OPTIONS: '--experimental-require-module' } }
    expect(parsed(await (await trial(runtime, files, 'app.handler', asked)).invoke({}))).toBe(1)
  })

  test('runs an ES module with top-level await, which finds the AWS SDK and modules of layers', async () => {
    const code = `
      import { LambdaClient } from '@aws-sdk/client-lambda'
      import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
      import layered from 'layered'
      const value = await Promise.resolve(7)
      export const handler = async () => [typeof LambdaClient, typeof DynamoDBDocumentClient, layered, value]`
    const layer = {
      'nodejs/node_modules/layered/index.js': 'module.exports = "from the layer"',
      'nodejs/node_modules/layered/package.json': '{"name":"layered","main":"index.js"}',
    }
    const made = await trial(runtime, { 'app/main.mjs': code }, 'app/main.handler', { layer })
    expect(parsed(await made.invoke({}))).toEqual(['function', 'function', 'from the layer', 7])
  })

  test('has every AWS SDK client of the list, and the function’s own copy goes first', async () => {
    const code = `
      const own = require('@aws-sdk/client-sqs')
      const { readdirSync } = require('node:fs')
      const names = readdirSync('/var/runtime/node_modules/@aws-sdk').filter((name) => /^(client|lib)-/.test(name))
      const broken = names.filter((name) => name !== 'client-sqs' && Object.keys(require('@aws-sdk/' + name)).length === 0)
      exports.handler = async () => ({ own, count: names.length, broken })`
    const files = {
      'index.js': code,
      'node_modules/@aws-sdk/client-sqs/package.json': '{"name":"@aws-sdk/client-sqs","main":"index.js"}',
      'node_modules/@aws-sdk/client-sqs/index.js': 'module.exports = "mine"',
    }
    const made = await trial(runtime, files, 'index.handler')
    const answer = parsed(await made.invoke({})) as { own: string; count: number; broken: string[] }
    expect(answer).toMatchObject({ own: 'mine', broken: [] })
    expect(answer.count).toBeGreaterThanOrEqual(25)
  })

  test('posts an init error for a module that cannot be loaded, and exits', async () => {
    const made = await trial(runtime, { 'index.js': 'require("nowhere")' }, 'index.handler')
    const answer = await made.answer()
    expect(answer.kind).toBe('init-error')
    // Client 3 loads the handler from its own file, which is therefore in the stack.
    const stack = version === '24' ? '- /var/task/index.js' : '- /var/task/index.js\n- /var/runtime/index.mjs'
    expect(parsed(answer)).toMatchObject({
      errorType: 'Runtime.ImportModuleError',
      errorMessage: `Error: Cannot find module 'nowhere'\nRequire stack:\n${stack}`,
    })
    expect(await made.exit()).not.toBe(0)
  })

  test('streams a response', async () => {
    const code = `
      exports.handler = awslambda.streamifyResponse(async (event, stream) => {
        stream.setContentType('text/plain')
        stream.write('first ')
        await new Promise((resolve) => setTimeout(resolve, 10))
        stream.end('second')
      })`
    const made = await trial(runtime, { 'index.js': code }, 'index.handler')
    const answer = await made.invoke({})
    expect(answer.headers['lambda-runtime-function-response-mode']).toBe('streaming')
    expect(answer.headers['content-type']).toBe('text/plain')
    expect(answer.body.toString()).toBe('first second')
  })

  const callback = `exports.handler = (event, context, callback) => callback(null, 'called back')`
  if (version === '24') {
    test('refuses a callback handler, as nodejs24.x does', async () => {
      const made = await trial(runtime, { 'index.js': callback }, 'index.handler')
      expect(parsed(await made.answer())).toMatchObject({ errorType: 'Runtime.CallbackHandlerDeprecated' })
    })
  } else {
    test('runs a callback handler', async () => {
      const made = await trial(runtime, { 'index.js': callback }, 'index.handler')
      expect(parsed(await made.invoke({}))).toBe('called back')
    })
  }
})

describe.each(PYTHON)('%s', (runtime) => {
  const version = runtime.slice('python'.length)

  test('answers events, reports what the handler raises with the members of AWS’s body, and lives on', async () => {
    const code = `
import os, sys, locale
locale.setlocale(locale.LC_ALL, "")
def handler(event, context):
    if event.get("fail"):
        raise ValueError("not good: ä€")
    return {"event": event, "id": context.aws_request_id, "memory": context.memory_limit_in_mb, "cwd": os.getcwd(), "uid": os.getuid(),
            "version": "%d.%d" % sys.version_info[:2], "executable": sys.executable, "path": sys.path[:3]}
`
    const made = await trial(runtime, { 'app.py': code }, 'app.handler')
    expect(parsed(await made.invoke({ text: 'grüße €😀' }))).toEqual({
      event: { text: 'grüße €😀' },
      id: 'request-1',
      memory: '512',
      cwd: '/var/task',
      uid: 993,
      version,
      executable: `/var/lang/bin/python${version}`,
      path: ['/var/task', `/opt/python/lib/python${version}/site-packages`, '/opt/python'],
    })
    const failed = await made.invoke({ fail: true })
    expect(failed.kind).toBe('error')
    const body = parsed(failed) as Record<string, unknown>
    expect(Object.keys(body)).toEqual(['errorMessage', 'errorType', 'requestId', 'stackTrace'])
    expect(body).toEqual({
      errorMessage: 'not good: ä€',
      errorType: 'ValueError',
      requestId: 'request-2',
      stackTrace: ['  File "/var/task/app.py", line 6, in handler\n    raise ValueError("not good: ä€")\n'],
    })
    expect(parsed(await made.invoke({ after: 1 }))).toMatchObject({ event: { after: 1 }, id: 'request-3' })
  })

  test('has /var/lang as its prefix, which stack traces of its own modules show, as on AWS', async () => {
    const code =
      'import json, sys\ndef handler(event, context):\n    return json.loads("{") if event else [sys.prefix, sys.exec_prefix]\n'
    const made = await trial(runtime, { 'app.py': code }, 'app.handler')
    expect(parsed(await made.invoke(null))).toEqual(['/var/lang', '/var/lang'])
    const { stackTrace } = parsed(await made.invoke({ fail: true })) as { stackTrace: string[] }
    expect(stackTrace[1]).toMatch(`  File "/var/lang/lib/python${version}/json/__init__.py", line `)
  })

  test(`sends other characters ${Number(version.split('.')[1]) >= 12 ? 'as UTF-8' : 'escaped'}, as this version does on AWS`, async () => {
    const made = await trial(runtime, { 'app.py': 'def handler(event, context):\n    return "ä"\n' }, 'app.handler')
    const { body } = await made.invoke({})
    expect(body.toString()).toBe(Number(version.split('.')[1]) >= 12 ? '"ä"' : '"\\u00e4"')
  })

  test('has boto3, compiled; modules of layers and the function’s own go first', async () => {
    const code = `
import importlib.util, os, s3transfer, layered, layered_site
def handler(event, context):
    spec = importlib.util.find_spec("boto3")
    return [spec.origin, os.path.exists(spec.cached), s3transfer.WHOSE, layered.WHOSE, layered_site.WHOSE]
`
    const files = { 'app.py': code, 's3transfer/__init__.py': 'WHOSE = "function"' }
    const layer = {
      'python/layered.py': 'WHOSE = "layer"',
      [`python/lib/python${version}/site-packages/layered_site.py`]: 'WHOSE = "layer site"',
      'python/s3transfer/__init__.py': 'WHOSE = "layer"',
    }
    const made = await trial(runtime, files, 'app.handler', { layer })
    const boto3 = '/var/runtime/boto3/__init__.py'
    expect(parsed(await made.invoke({}))).toEqual([boto3, true, 'function', 'layer', 'layer site'])
  })

  test('makes a client with the boto3 of the runtime, and with one that the function brings', async () => {
    const code = `
import boto3
def handler(event, context):
    return [boto3.__file__, getattr(boto3, "client")("s3", region_name="us-east-1").meta.service_model.service_name]
`
    const made = await trial(runtime, { 'app.py': code }, 'app.handler')
    expect(parsed(await made.invoke({}))).toEqual(['/var/runtime/boto3/__init__.py', 's3'])
    const own = `
class Client:
    class meta:
        class service_model:
            service_name = "own"
def client(*args, **kwargs):
    return Client
`
    const overridden = await trial(runtime, { 'app.py': code, 'boto3/__init__.py': own }, 'app.handler')
    expect(parsed(await overridden.invoke({}))).toEqual(['/var/task/boto3/__init__.py', 'own'])
  })

  test('posts an init error for a module that cannot be imported, and exits with 1', async () => {
    const made = await trial(runtime, { 'app.py': 'import nowhere' }, 'app.handler')
    const answer = await made.answer()
    expect(answer.kind).toBe('init-error')
    expect(parsed(answer)).toEqual({
      errorMessage: "Unable to import module 'app': No module named 'nowhere'",
      errorType: 'Runtime.ImportModuleError',
      requestId: '',
      stackTrace: [],
    })
    expect(await made.exit()).toBe(1)
  })
})

describe.each([...NODE, ...PYTHON])('%s', (runtime) => {
  const isNode = runtime.startsWith('nodejs')
  const code: Record<string, string> = isNode
    ? { 'app.js': 'exports.handler = async () => process.env.WRAPPED ?? null' }
    : { 'app.py': 'import os\ndef handler(event, context):\n    return os.environ.get("WRAPPED")\n' }

  test('starts through AWS_LAMBDA_EXEC_WRAPPER with the original arguments', async () => {
    const layer = { wrapper: '#!/bin/sh\nexport WRAPPED="$1"\nexec "$@"\n' }
    const made = await trial(runtime, code, 'app.handler', {
      layer,
      environment: { AWS_LAMBDA_EXEC_WRAPPER: '/opt/wrapper' },
    })
    expect(parsed(await made.invoke({}))).toBe(isNode ? '/var/lang/bin/node' : `/var/lang/bin/${runtime}`)
  })

  test('exits with 127 when AWS_LAMBDA_EXEC_WRAPPER names a file that is not there', async () => {
    const made = await trial(runtime, code, 'app.handler', { environment: { AWS_LAMBDA_EXEC_WRAPPER: '/opt/nowhere' } })
    expect(await made.exit()).toBe(127)
  })

  test('has /lambda-entrypoint.sh, which takes the handler as its argument', async () => {
    const container = await docker.createContainer({
      Image: await images.imageFor(runtime, 'x86_64'),
      Entrypoint: ['/lambda-entrypoint.sh'],
      Cmd: [],
      Labels: { 'hearth.job': 'runtime-images-test' },
    })
    try {
      await container.start()
      expect(await container.wait()).toMatchObject({ StatusCode: 142 })
    } finally {
      await container.remove({ force: true })
    }
  })
})

describe.each(PROVIDED)('%s', (runtime) => {
  /** A complete runtime in shell, as AWS's tutorial of custom runtimes writes it. */
  const bootstrap = (mark: string): string => `#!/bin/bash
set -euo pipefail
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while true; do
  headers="$(mktemp)"
  event=$(curl -sS -LD "$headers" "$api/next")
  id=$(grep -Fi Lambda-Runtime-Aws-Request-Id "$headers" | tr -d '[:space:]' | cut -d: -f2)
  curl -sS "$api/$id/response" -d "{\\"by\\":\\"${mark}\\",\\"handler\\":\\"$_HANDLER\\",\\"pid\\":$$,\\"event\\":$event}"
done
`

  test('becomes the bootstrap of the function, and no shell stays around', async () => {
    const made = await trial(runtime, { bootstrap: bootstrap('task') }, 'any.thing', {
      layer: { bootstrap: bootstrap('layer') },
    })
    const answer = parsed(await made.invoke({ a: 1 })) as { pid: number }
    expect(answer).toMatchObject({ by: 'task', handler: 'any.thing', event: { a: 1 } })
    // 1 is the engine's init; the bootstrap has the pid that /var/runtime/bootstrap was started with.
    expect(answer.pid).toBeLessThan(10)
    expect(parsed(await made.invoke({ a: 2 }))).toEqual({ ...answer, event: { a: 2 } })
  })

  test('takes the bootstrap of a layer when the function’s is missing or not executable', async () => {
    const made = await trial(runtime, { bootstrap: 'not executable' }, 'any', {
      layer: { bootstrap: bootstrap('layer') },
    })
    expect(parsed(await made.invoke({}))).toMatchObject({ by: 'layer' })
  })

  test('exits with the agreed status, and says why, when the bootstrap is no program for this machine', async () => {
    const made = await trial(runtime, { bootstrap: '\x7fELF\u0002\u0001\u0001\nnot for this machine\n' }, 'any', {
      executable: 'bootstrap',
    })
    expect(await made.exit()).toBe(142)
    expect(await made.log()).toContain('fork/exec /var/task/bootstrap: exec format error')
  })

  test('exits with the agreed status, and says nothing, when there is no bootstrap', async () => {
    const made = await trial(runtime, { 'readme.txt': 'nothing to run' }, 'any')
    expect(await made.exit()).toBe(142)
    expect(await made.log()).toBe('')
  })
})

test('the supervisor is a static executable on this machine', async () => {
  const { stat, readFile } = await import('node:fs/promises')
  const path = await images.supervisorPath()
  expect((await stat(path)).mode & 0o777).toBe(0o755)
  expect((await readFile(path)).subarray(0, 4).toString('latin1')).toBe('\x7fELF')
  expect(await images.supervisorPath()).toBe(path)
})

test('every image is listed as ready, and a runtime without a recipe says how to get it', async () => {
  const list = await images.list()
  for (const runtime of RUNTIMES) {
    expect(list.find((row) => row.runtime === runtime)).toMatchObject({
      state: 'ready',
      image: `hearth-runtime:${runtime}`,
    })
  }
  const java = list.find((row) => row.runtime === 'java21')
  expect(java?.state).toBe('unavailable')
  expect(java?.reason).toContain('HEARTH_RUNTIME_IMAGE_MAP=java21=')
})

test('all images go into one archive and come back with their labels', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-archive-'))
  try {
    const file = join(folder, 'images.tar')
    await images.exportTo(file)
    const before = await docker.getImage('hearth-supervisor:latest').inspect()
    await images.importFrom(file)
    const after = await docker.getImage('hearth-supervisor:latest').inspect()
    expect(after.Config.Labels).toEqual(before.Config.Labels)
    await expect(images.importFrom(join(folder, 'nowhere.tar'))).rejects.toThrow('no archive of runtime images')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
