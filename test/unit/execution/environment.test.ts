import { afterEach, describe, expect, it, vi } from 'vitest'
import { type EnvironmentOwner, ExecutionEnvironment } from '../../../src/execution/environment.ts'
import type { Invocation, InvocationResult } from '../../../src/execution/invocation.ts'
import { EnvironmentLog } from '../../../src/execution/logs/environment-log.ts'
import type { FunctionVersion } from '../../../src/lambda/function.ts'
import type { LogStore } from '../../../src/telemetry/log-store.ts'
import { type Behaviour, type FakeHost, type FakeHostOptions, fakeHost, run, until, validVersion } from './fake-host.ts'

const silentOwner: EnvironmentOwner = { idle: () => {}, finishing: () => {}, unavailable: () => {}, gone: () => {} }

function invocation(overrides: Partial<Invocation> = {}): Invocation {
  return {
    requestId: 'id-1',
    invokedFunctionArn: 'arn',
    traceHeader: 'Root=1',
    payload: Buffer.from('{}'),
    tail: false,
    ...overrides,
  }
}

async function started(
  options: FakeHostOptions = {},
  version: Partial<FunctionVersion> = {},
): Promise<FakeHost & { environment: ExecutionEnvironment }> {
  const fake = fakeHost(options)
  const environment = new ExecutionEnvironment(fake.host, silentOwner, validVersion(version))
  await environment.start()
  return { ...fake, environment }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))
afterEach(() => void vi.useRealTimers())

function bodyOf(result: InvocationResult): unknown {
  return JSON.parse(Buffer.from(result.payload).toString())
}

describe('an execution environment', () => {
  it('answers with the bytes of the runtime and is Idle again when the runtime asks for the next event', async () => {
    const { environment } = await started()
    const result = await run(environment, invocation({ payload: Buffer.from('{"a": 1}') }))
    expect(result).toEqual({ ok: true, payload: Buffer.from('{"a": 1}') })
    await until(() => environment.state === 'Idle')
  })

  it('writes START, output, END and REPORT in this order, Init Duration once', async () => {
    const { environment, logs } = await started({
      behaviour: {
        event: (runtime, event) => {
          runtime.print('hello\n')
          runtime.respond(event, '1')
          runtime.session.ready()
        },
      },
    })
    await run(environment, invocation())
    await until(() => environment.state === 'Idle')
    await run(environment, invocation({ requestId: 'id-2' }))
    await until(() => environment.state === 'Idle')
    await environment.shutdown('test')
    const shapes = logs.lines.map((line) => line.replace(/[\d.]+ ms/g, 'N ms'))
    expect(shapes).toEqual([
      `INIT_START Runtime Version: nodejs:22\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:${'0'.repeat(64)}`,
      'START RequestId: id-1 Version: $LATEST',
      'hello',
      'END RequestId: id-1',
      'REPORT RequestId: id-1\tDuration: N ms\tBilled Duration: N ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tInit Duration: N ms\t',
      'START RequestId: id-2 Version: $LATEST',
      'hello',
      'END RequestId: id-2',
      'REPORT RequestId: id-2\tDuration: N ms\tBilled Duration: N ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\t',
    ])
  })

  it('gives the last lines with the answer when asked, platform lines included and INIT_START not', async () => {
    const { environment } = await started({
      behaviour: {
        event: (runtime, event) => {
          runtime.print('one\ntwo\n')
          runtime.respond(event, '1')
          runtime.session.ready()
        },
      },
    })
    const result = await run(environment, invocation({ tail: true }))
    const text = Buffer.from(result.logTail!).toString()
    expect(text).toMatch(
      /^START RequestId: id-1 Version: \$LATEST\none\ntwo\nEND RequestId: id-1\nREPORT RequestId: id-1\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tInit Duration: [\d.]+ ms\t\n$/,
    )
  })

  it('cuts the tail to its last 4096 bytes', async () => {
    const { environment } = await started({
      behaviour: {
        event: (runtime, event) => {
          runtime.print(`${'x'.repeat(10_000)}\n`)
          runtime.respond(event, '1')
          runtime.session.ready()
        },
      },
    })
    const result = await run(environment, invocation({ tail: true }))
    expect(result.logTail).toHaveLength(4096)
  })

  it('ends an invocation at its timeout, kills the processes, and boots again inside the next invocation', async () => {
    let events = 0
    const { environment, runtimes, logs } = await started(
      {
        behaviour: {
          event: (runtime, event) => {
            if (++events === 1) return
            runtime.respond(event, '"late"')
            runtime.session.ready()
          },
        },
      },
      { timeout: 1 },
    )
    // The machine may be slow: only the first invocation sees the clock move.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const ending = run(environment, invocation())
    while (events === 0) await turn()
    await vi.advanceTimersByTimeAsync(1000)
    const first = await ending
    while (environment.state !== 'Idle') await turn()
    expect(first).toMatchObject({ ok: false, functionError: 'Unhandled' })
    expect(Buffer.from(first.payload).toString()).toBe(
      '{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: id-1 Error: Task timed out after 1.00 seconds"}',
    )
    expect(runtimes[0]).toMatchObject({ stops: 1, boots: 1, destroyed: false })
    const second = await run(environment, invocation({ requestId: 'id-2' }))
    vi.useRealTimers()
    expect(second).toMatchObject({ ok: true })
    expect(runtimes[0]!.boots).toBe(2)
    await environment.shutdown('test')
    expect(logs.lines.some((line) => /^REPORT RequestId: id-1\t.*\tStatus: timeout$/.test(line))).toBe(true)
    expect(logs.lines.some((line) => line.endsWith('id-1 Task timed out after 1.00 seconds'))).toBe(true)
  })

  it.each([
    [{ code: 0, outOfMemory: false }, 'Runtime.ExitError', 'Runtime exited without providing a reason'],
    [{ code: 3, outOfMemory: false }, 'Runtime.ExitError', 'Runtime exited with error: exit status 3'],
    [{ signal: 11, outOfMemory: false }, 'Runtime.ExitError', 'Runtime exited with error: signal: segmentation fault'],
    [{ signal: 9, outOfMemory: true }, 'Runtime.OutOfMemory', 'Runtime exited with error: signal: killed'],
  ])('reports the exit %j of the runtime as AWS does', async (exit, errorType, text) => {
    const { environment } = await started({
      behaviour: { event: (runtime) => runtime.sandbox.exit({ process: 'runtime', ...exit }) },
    })
    const result = await run(environment, invocation())
    expect(bodyOf(result)).toEqual({ errorType, errorMessage: `RequestId: id-1 Error: ${text}` })
  })

  it('prefers the answer of a runtime that posted it and exited, whichever is heard first', async () => {
    const { environment, runtimes } = await started({
      behaviour: {
        event: (runtime, event) => {
          runtime.sandbox.exit({ process: 'runtime', code: 1, outOfMemory: false })
          runtime.respond(event, '"last words"')
        },
      },
    })
    const result = await run(environment, invocation())
    expect(bodyOf(result)).toBe('last words')
    await until(() => environment.state === 'Idle')
    expect(runtimes[0]!.stops).toBe(1)
  })

  it('repeats a failed Init inside each invocation and hands out what the runtime posted', async () => {
    const posted = Buffer.from('{"errorType":"Runtime.ImportModuleError"}')
    const { environment, runtimes, logs } = await started({
      behaviour: {
        boot: (runtime) => {
          runtime.session.initError({ payload: posted, errorType: 'Runtime.ImportModuleError' })
          runtime.sandbox.exit({ process: 'runtime', code: 1, outOfMemory: false })
        },
      },
    })
    for (const requestId of ['id-1', 'id-2']) {
      const result = await run(environment, invocation({ requestId }))
      expect(result).toMatchObject({ ok: false, payload: posted })
      await until(() => environment.state === 'Idle')
    }
    expect(runtimes[0]!.boots).toBe(3)
    await environment.shutdown('test')
    expect(logs.lines.filter((line) => line.includes('Phase: init'))).toHaveLength(1)
    expect(logs.lines.filter((line) => line.includes('Phase: invoke'))).toHaveLength(2)
  })

  it('names the missing bootstrap of a provided runtime', async () => {
    const { environment } = await started(
      {
        behaviour: {
          boot: (runtime) => {
            const path = '/var/task/bootstrap /opt/bootstrap'
            runtime.sandbox.launchFailure({ process: 'bootstrap', errno: 'ENOENT', path })
          },
        },
      },
      { runtime: 'provided.al2023' },
    )
    const result = await run(environment, invocation())
    expect(bodyOf(result)).toEqual({
      errorType: 'Runtime.InvalidEntrypoint',
      errorMessage: "RequestId: id-1 Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]",
    })
  })

  it('is removed, with an answer to its caller, when the sandbox disappears', async () => {
    const { environment, live } = await started({
      behaviour: { event: (runtime) => runtime.sandbox.lost('container removed') },
    })
    const result = await run(environment, invocation())
    expect(result).toMatchObject({ ok: false, errorType: 'Sandbox.Failure' })
    await until(() => environment.state === 'Terminated')
    expect(live()).toBe(0)
  })

  it.each(['with the exit of its runtime', 'after it, while the end is being logged'])(
    'is removed when the sandbox disappears %s',
    async (when) => {
      const { environment, runtimes } = await started({
        behaviour: {
          event: ({ sandbox }) => {
            sandbox.exit({ process: 'runtime', signal: 9, outOfMemory: true })
            if (when === 'with the exit of its runtime') sandbox.lost('its supervisor ended')
          },
        },
      })
      runtimes[0]!.flush = async () => runtimes[0]!.sandbox.lost('its supervisor ended')
      const result = await run(environment, invocation())
      expect(result).toMatchObject({ ok: false, errorType: 'Runtime.OutOfMemory' })
      await until(() => environment.state === 'Terminated')
    },
  )

  it('could not be started when the sandbox disappears with the exit of its runtime during Init', async () => {
    const boot: Behaviour['boot'] = ({ sandbox }) => {
      sandbox.exit({ process: 'runtime', signal: 9, outOfMemory: true })
      sandbox.lost('its supervisor ended')
    }
    await expect(started({ behaviour: { boot } })).rejects.toMatchObject({ code: 'SandboxLost' })
  })

  it.each([
    ['is removed when the sandbox disappears', 'Terminated', 0],
    ['resets itself when the runtime exits', 'Idle', 1],
  ] as const)('%s while an answer waits for its last lines', async (_what, state, stops) => {
    const { environment, runtimes } = await started()
    const runtime = runtimes[0]!
    runtime.flush = async () => {
      if (state === 'Terminated') runtime.sandbox.lost('removed by somebody')
      else runtime.sandbox.exit({ process: 'runtime', code: 0, outOfMemory: false })
    }
    expect(await run(environment, invocation({ tail: true }))).toMatchObject({ ok: true })
    await until(() => environment.state === state && runtime.stops === stops)
  })

  it('resets itself when the runtime exits between two invocations', async () => {
    const { environment, runtimes } = await started()
    runtimes[0]!.sandbox.exit({ process: 'runtime', code: 0, outOfMemory: false })
    await until(() => runtimes[0]!.stops === 1 && environment.state === 'Idle')
    expect(await run(environment, invocation())).toMatchObject({ ok: true })
    expect(runtimes[0]!.boots).toBe(2)
  })

  it('leaves no sandbox behind when it is shut down while it starts', async () => {
    let removed: Promise<void> | undefined
    const fake = fakeHost({
      refuseStart: () => {
        // While the driver makes it.
        removed = environment.shutdown('test')
        return undefined
      },
    })
    const environment = new ExecutionEnvironment(fake.host, silentOwner, validVersion())
    const [outcome] = await Promise.allSettled([environment.start()])
    await removed
    expect(outcome.status).toBe('rejected')
    expect(fake.live()).toBe(0)
    expect(environment.state).toBe('Terminated')
  })

  it('keeps no more of a talkative invocation than its tail', async () => {
    const store = { append: () => {} } as unknown as LogStore
    const stream = { account: '1', region: 'r', group: 'g', stream: 's' }
    const log = new EnvironmentLog({
      store,
      stream,
      maxMemoryBytes: () => Promise.resolve(0),
      keeps: () => true,
      dropped: () => [],
    })
    log.beginTail()
    log.write(['x'.repeat(5000), 'short'])
    for (let i = 0; i < 3000; i++) log.write([String(i).padStart(9)])
    log.write([(bytes) => `REPORT ${bytes}`])
    const tail = Buffer.from(log.endTail(7)).toString()
    expect(tail).toHaveLength(4096)
    expect(tail.split('\n').slice(-3)).toEqual(['     2999', 'REPORT 7', ''])
    log.beginTail()
    log.write(['é'.repeat(3000)])
    log.write(['end'])
    expect(log.endTail(0)).toHaveLength(4096)
    await log.close()
  })

  it('limits the CPU to the share of MemorySize when Init has ended', async () => {
    const { runtimes } = await started()
    expect(runtimes[0]!.cpuLimited).toBe(true)
  })
})
