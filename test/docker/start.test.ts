/** `npm start` as a person runs it: the whole command, stopped by Ctrl-C in its terminal. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
const run = promisify(execFile)

let data: string
let running: Started | undefined

interface Started {
  readonly child: ChildProcess
  readonly url: string
  readonly output: () => string
  readonly ended: Promise<void>
}

/** Waits until the host says that it is ready. */
async function start(): Promise<Started> {
  const child = spawn('npm', ['start', '--silent', '--', '--port', '0', '--data', data], {
    cwd: ROOT,
    // A process group of its own, as a terminal gives one to each command.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const ended = new Promise<void>((done) => child.once('close', () => done()))
  const ready = new Promise<string>((done, fail) => {
    const hear = (chunk: Buffer) => {
      output += chunk.toString()
      const url = /Hearth answers at (\S+)/.exec(output)?.[1]
      if (url !== undefined && output.includes('Ready.')) done(url)
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    void ended.then(() => fail(new Error(`npm start ended before it was ready:\n${output}`)))
  })
  running = { child, url: await ready, output: () => output, ended }
  return running
}

/** Ctrl-C: the terminal sends it to every process of the group. */
function interrupt(one: Started): void {
  process.kill(-(one.child.pid as number), 'SIGINT')
}

const invoke = (one: Started, name: string, event: unknown) =>
  fetch(`${one.url}/2015-03-31/functions/${name}/invocations`, { method: 'POST', body: JSON.stringify(event) })

async function leftovers(): Promise<string[]> {
  const { stdout: containers } = await run('docker', ['ps', '-aq', '--no-trunc', '--filter', 'label=hearth.instance'])
  const ids = containers.split('\n').filter((id) => id !== '')
  if (ids.length === 0) return []
  // Containers of other hosts on this machine mount other folders.
  const { stdout } = await run('docker', [
    'inspect',
    '--format',
    '{{.Name}} {{json .HostConfig.Binds}} {{json .Mounts}}',
    ...ids,
  ])
  return stdout.split('\n').filter((line) => line.includes(data))
}

describe('npm start', () => {
  beforeAll(() => {
    data = mkdtempSync(join(tmpdir(), 'hearth-start-'))
  })
  afterEach(async () => {
    if (running === undefined) return
    try {
      process.kill(-(running.child.pid as number), 'SIGKILL')
    } catch {
      // It has ended, as it should.
    }
    await running.ended
    running = undefined
  })
  afterAll(() => rmSync(data, { recursive: true, force: true }))

  it('serves the example, says how to invoke it, and leaves nothing behind after Ctrl-C', async () => {
    const host = await start()
    expect((await fetch(`${host.url}/_hearth/health`)).status).toBe(200)
    expect(host.output()).toContain(
      `aws lambda invoke --endpoint-url ${host.url} --region us-east-1 --function-name hello`,
    )
    const answer = await invoke(host, 'hello', { name: 'start' })
    expect(await answer.json()).toMatchObject({ message: 'Hello, start!', function: 'hello' })
    interrupt(host)
    await host.ended
    expect(host.output()).toContain('Stopped.')
    await expect(fetch(`${host.url}/_hearth/health`)).rejects.toThrow()
    expect(await leftovers()).toEqual([])
  }, 600_000)

  it('keeps its functions, and lets a running invoke finish when it is stopped', async () => {
    const host = await start()
    const folder = join(data, 'source')
    mkdirSync(folder)
    writeFileSync(
      join(folder, 'index.mjs'),
      `export const handler = async ({ seconds }) => {
  await new Promise((done) => setTimeout(done, seconds * 1000))
  return { slept: seconds }
}
`,
    )
    const { stdout } = await run(
      process.execPath,
      ['bin/hearth.mjs', 'deploy', folder, '--name', 'slow', '--timeout', '30', '--endpoint-url', host.url],
      { cwd: ROOT },
    )
    expect(stdout).toContain('created slow')
    expect(await (await invoke(host, 'hello', {})).json()).toMatchObject({ message: 'Hello, world!' })
    const slow = invoke(host, 'slow', { seconds: 4 })
    // It runs: its first log line is there.
    for (;;) {
      const logs = await (await fetch(`${host.url}/_hearth/logs?function=slow`)).text()
      if (logs.includes('START RequestId')) break
      await new Promise((done) => setTimeout(done, 100))
    }
    interrupt(host)
    const answer = await slow
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ slept: 4 })
    await host.ended
    expect(host.output()).toContain('Stopped.')
    expect(await leftovers()).toEqual([])
  }, 600_000)

  it('leaves nothing behind when the reader of its output goes first, as tee does at Ctrl-C', async () => {
    const host = await start()
    expect((await invoke(host, 'hello', {})).status).toBe(200)
    host.child.stdout?.destroy()
    host.child.stderr?.destroy()
    interrupt(host)
    await host.ended
    expect(await leftovers()).toEqual([])
  }, 600_000)
})
