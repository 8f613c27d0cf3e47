/** What a function can do wrong, each with AWS's exact body, and the invocation after it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFunction, type Invoked, invoke } from '../support/functions.ts'
import { startTestHost, type TestHost } from '../support/host.ts'
import { until } from '../support/until.ts'

let host: TestHost
beforeAll(async () => {
  host = await startTestHost()
})
afterAll(() => host?.stop())

const node = `
const fs = require('node:fs')
let count = 0
exports.handler = async (event) => {
  count++
  switch (event.do) {
    case 'sleep':
      fs.writeFileSync('/tmp/kept', 'yes')
      await new Promise((resolve) => setTimeout(resolve, 60_000))
      break
    case 'allocate': {
      const kept = []
      for (;;) kept.push(Buffer.alloc(8 * 1024 * 1024, 1))
    }
    case 'exit':
      process.exit(event.code)
    case 'signal':
      process.kill(process.pid, event.signal)
      await new Promise(() => setInterval(() => {}, 1000))
      break
    case 'large':
      return 'x'.repeat(7 * 1024 * 1024)
    case 'throw':
      throw new TypeError('no such thing')
    case 'write-after':
      setTimeout(() => console.log('written after the answer'), 20)
      return 'answered'
    default:
      return { count, kept: fs.existsSync('/tmp/kept') }
  }
}`

const requestIdOf = (result: Invoked) => result.$metadata.requestId

describe('a Node function that', () => {
  const name = 'misbehaves'
  beforeAll(() =>
    createFunction(host.client, name, { 'index.js': node }, { MemorySize: 256, Timeout: 5, Runtime: 'nodejs22.x' }),
  )

  it('sleeps past its timeout is ended, keeps its /tmp and loses its process', async () => {
    const slow = await invoke(host.client, name, { do: 'sleep' }, { LogType: 'Tail' })
    expect(slow).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' })
    expect(slow.body).toEqual({
      errorType: 'Sandbox.Timedout',
      errorMessage: `RequestId: ${requestIdOf(slow)} Error: Task timed out after 5.00 seconds`,
    })
    expect(slow.log).toMatch(/\tStatus: timeout\n$/)
    const next = await invoke(host.client, name)
    expect(next.body).toEqual({ count: 1, kept: true })
  })

  it('allocates past its memory is killed and says so', async () => {
    // With a timeout of its own: on a slow machine a seventh of a core needs more than five seconds to fill 256 MB.
    const name = 'allocates'
    await createFunction(
      host.client,
      name,
      { 'index.js': node },
      { MemorySize: 256, Timeout: 60, Runtime: 'nodejs22.x' },
    )
    const result = await invoke(host.client, name, { do: 'allocate' }, { LogType: 'Tail' })
    expect(result.FunctionError).toBe('Unhandled')
    expect(result.body).toEqual({
      errorType: 'Runtime.OutOfMemory',
      errorMessage: `RequestId: ${requestIdOf(result)} Error: Runtime exited with error: signal: killed`,
    })
    expect(result.log).toMatch(
      /\tMemory Size: 256 MB\tMax Memory Used: 256 MB.*\tStatus: error\tError Type: Runtime.OutOfMemory\n$/,
    )
    expect((await invoke(host.client, name)).FunctionError).toBeUndefined()
  })

  it.each([
    [{ do: 'exit', code: 3 }, 'Runtime exited with error: exit status 3'],
    [{ do: 'exit', code: 0 }, 'Runtime exited without providing a reason'],
    [{ do: 'exit', code: 139 }, 'Runtime exited with error: exit status 139'],
    [{ do: 'signal', signal: 'SIGSEGV' }, 'Runtime exited with error: signal: segmentation fault'],
    [{ do: 'signal', signal: 'SIGKILL' }, 'Runtime exited with error: signal: killed'],
  ])('ends by %j is reported with its true wait status', async (event, reason) => {
    const result = await invoke(host.client, name, event)
    expect(result).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' })
    // The client for Node.js turns process.exit into an error of its own on some versions; the platform's body is the rule.
    expect(result.body).toEqual({
      errorType: 'Runtime.ExitError',
      errorMessage: `RequestId: ${requestIdOf(result)} Error: ${reason}`,
    })
    expect((await invoke(host.client, name)).FunctionError).toBeUndefined()
  })

  it('returns 7 MB gets the size error, and the next invocation works', async () => {
    const result = await invoke(host.client, name, { do: 'large' })
    expect(result.FunctionError).toBe('Unhandled')
    expect(Buffer.from(result.Payload!).toString()).toBe(
      '{"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes).","errorType":"Function.ResponseSizeTooLarge"}',
    )
    expect((await invoke(host.client, name)).FunctionError).toBeUndefined()
  })

  it('throws gets its own error body and keeps its process', async () => {
    await createFunction(host.client, 'throws', { 'index.js': node }, { MemorySize: 256 })
    expect((await invoke(host.client, 'throws')).body).toMatchObject({ count: 1 })
    const result = await invoke(host.client, 'throws', { do: 'throw' })
    expect(result.FunctionError).toBe('Unhandled')
    expect(result.body).toMatchObject({ errorType: 'TypeError', errorMessage: 'no such thing' })
    expect(Object.keys(result.body as object)).toEqual(['errorType', 'errorMessage', 'trace'])
    // Another environment would count from 1 again.
    await until(async () => ((await invoke(host.client, 'throws')).body as { count: number }).count > 2)
  })

  it('writes after its answer is answered first and works on', async () => {
    expect((await invoke(host.client, name, { do: 'write-after' })).body).toBe('answered')
    expect((await invoke(host.client, name)).FunctionError).toBeUndefined()
  })
})

describe('a function whose Init fails', () => {
  it('by a throw at import hands out what the runtime posted, at every invocation', async () => {
    await createFunction(
      host.client,
      'broken-import',
      { 'index.py': 'raise ValueError("at import")\n' },
      { Runtime: 'python3.11' },
    )
    for (let i = 0; i < 2; i++) {
      const result = await invoke(host.client, 'broken-import', {}, { LogType: 'Tail' })
      expect(result.FunctionError).toBe('Unhandled')
      expect(result.body).toMatchObject({ errorMessage: 'at import', errorType: 'ValueError', requestId: '' })
    }
  })

  it('because a module is missing names it as AWS does', async () => {
    await createFunction(host.client, 'missing-module', { 'index.py': 'import nowhere\n' }, { Runtime: 'python3.11' })
    const result = await invoke(host.client, 'missing-module')
    expect(result.body).toMatchObject({
      errorMessage: "Unable to import module 'index': No module named 'nowhere'",
      errorType: 'Runtime.ImportModuleError',
      stackTrace: [],
    })
  })

  it('because there is no bootstrap says which were looked for', async () => {
    await createFunction(
      host.client,
      'no-bootstrap',
      { 'readme.txt': 'nothing to run' },
      { Runtime: 'provided.al2023' },
    )
    const result = await invoke(host.client, 'no-bootstrap')
    expect(result.body).toEqual({
      errorType: 'Runtime.InvalidEntrypoint',
      errorMessage: `RequestId: ${requestIdOf(result)} Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]`,
    })
  })

  it.each([
    [
      'another-machine',
      { content: '\x7fELF\u0002\u0001\u0001\nfor another machine\n', mode: 0o755 },
      'exec format error',
    ],
    ['no-x-bit', { content: '#!/bin/sh\n', mode: 0o644 }, 'permission denied'],
    ['crlf', { content: '#!/bin/sh\r\necho hello\r\n', mode: 0o755 }, 'no such file or directory'],
  ])('because its bootstrap cannot start says why: %s', async (name, bootstrap, reason) => {
    await createFunction(host.client, name, { bootstrap }, { Runtime: 'provided.al2023' })
    const result = await invoke(host.client, name, {}, { LogType: 'Tail' })
    const message = `RequestId: ${requestIdOf(result)} Error: fork/exec /var/task/bootstrap: ${reason}`
    expect(result.body).toEqual({ errorType: 'Runtime.InvalidEntrypoint', errorMessage: message })
    expect(result.log).toContain(`${message}\nRuntime.InvalidEntrypoint\n`)
  })

  it('by an exit reports it', async () => {
    await createFunction(
      host.client,
      'exits',
      { bootstrap: '#!/bin/sh\necho last words\nexit 7\n' },
      { Runtime: 'provided.al2023' },
    )
    const result = await invoke(host.client, 'exits', {}, { LogType: 'Tail' })
    expect(result.body).toEqual({
      errorType: 'Runtime.ExitError',
      errorMessage: `RequestId: ${requestIdOf(result)} Error: Runtime exited with error: exit status 7`,
    })
    expect(result.log).toContain('last words\n')
    expect(result.log).toContain('\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError\n')
  })

  it('by taking longer than the Init phase and the timeout ends with the timeout', async () => {
    await createFunction(
      host.client,
      'hangs',
      { bootstrap: '#!/bin/sh\nsleep 600\n' },
      { Runtime: 'provided.al2023', Timeout: 1 },
    )
    const result = await invoke(host.client, 'hangs')
    expect(result.body).toEqual({
      errorType: 'Sandbox.Timedout',
      errorMessage: `RequestId: ${requestIdOf(result)} Error: Task timed out after 1.00 seconds`,
    })
  })
})
