/** A function written in Go with the official client, on the OS-only runtimes. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFunction, invoke } from '../support/functions.ts'
import { startTestHost, type TestHost } from '../support/host.ts'

const SOURCE = resolve(import.meta.dirname, '../fixtures/go-function')

let host: TestHost
let folder: string
let bootstrap: Buffer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-go-'))
  const output = join(folder, 'bootstrap')
  await promisify(execFile)('go', ['build', '-tags', 'lambda.norpc', '-o', output, '.'], {
    cwd: SOURCE,
    env: { ...process.env, CGO_ENABLED: '0' },
  })
  bootstrap = await readFile(output)
  host = await startTestHost()
})
afterAll(async () => {
  await host?.stop()
  await rm(folder, { recursive: true, force: true })
})

describe.each(['provided.al2023', 'provided.al2'])('a Go function on %s', (runtime) => {
  const name = `go-${runtime.replace('.', '-')}`

  it('answers, with its SIGTERM handler registered as an internal extension', async () => {
    await createFunction(
      host.client,
      name,
      { bootstrap },
      { Runtime: runtime as 'provided.al2023', Handler: 'bootstrap' },
    )
    const result = await invoke(host.client, name, {}, { LogType: 'Tail' })
    expect(result.FunctionError).toBeUndefined()
    expect(result.body).toEqual({
      id: result.$metadata.requestId,
      arn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
    })
    expect(result.log).toContain(`handled ${result.$metadata.requestId}\n`)
  })

  it('fails with the body of its client, and again after a panic', async () => {
    expect(await invoke(host.client, name, { do: 'fail' })).toMatchObject({
      FunctionError: 'Unhandled',
      body: { errorMessage: 'as asked', errorType: 'errorString' },
    })
    const panicked = await invoke(host.client, name, { do: 'panic' })
    expect(panicked.FunctionError).toBe('Unhandled')
    expect(panicked.body).toMatchObject({ errorMessage: 'as asked', errorType: 'string' })
    expect((panicked.body as { stackTrace: unknown[] }).stackTrace.length).toBeGreaterThan(0)
    expect((await invoke(host.client, name)).FunctionError).toBeUndefined()
  })
})
