/** Failures of package, image and engine become the documented errors. A faulty engine stands in front of the real one. */

import { readdir, rm, truncate } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { connect as connectSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GetFunctionCommand } from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFunction, invoke } from '../support/functions.ts'
import { startTestHost, type TestHost } from '../support/host.ts'

const REAL = (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace('unix://', '')
const FAULTY = join(tmpdir(), `hearth-faulty-${process.pid}.sock`)

/** What the faulty engine answers to `POST /containers/create`; `undefined`: what the real one answers. */
let fault: { status: number; message: string } | 'hang-up' | 'late' | undefined
/** What the real engine made after the create of it was given up. */
const late: string[] = []
let engine: Server
let host: TestHost
let dockerHost: string | undefined

beforeAll(async () => {
  engine = createServer(relay)
  engine.on('upgrade', (incoming: IncomingMessage, socket, head) => {
    const real = connectSocket(REAL, () => {
      const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`]
      for (let i = 0; i < incoming.rawHeaders.length; i += 2)
        lines.push(`${incoming.rawHeaders[i]}: ${incoming.rawHeaders[i + 1]}`)
      real.write(`${lines.join('\r\n')}\r\n\r\n`)
      real.write(head)
      socket.pipe(real).pipe(socket)
    })
    const close = () => {
      real.destroy()
      socket.destroy()
    }
    real.on('error', close)
    socket.on('error', close)
  })
  await new Promise<void>((resolve) => engine.listen(FAULTY, resolve))
  dockerHost = process.env.DOCKER_HOST
  process.env.DOCKER_HOST = `unix://${FAULTY}`
  host = await startTestHost()
})

/** Status of a GET at the real engine. */
function engineSays(path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: REAL, path }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
    asked.on('error', reject)
    asked.end()
  })
}

let functions = 0

/** A function that has no environment yet: its first invoke needs the engine. */
async function freshFunction(): Promise<string> {
  const name = `f-${functions++}`
  await createFunction(host.client, name, { bootstrap: BOOTSTRAP }, { Runtime: 'provided.al2023' })
  return name
}
afterAll(async () => {
  fault = undefined
  await host?.stop()
  if (dockerHost === undefined) delete process.env.DOCKER_HOST
  else process.env.DOCKER_HOST = dockerHost
  engine.closeAllConnections()
  engine.close()
  await rm(FAULTY, { force: true })
})

const BOOTSTRAP = `#!/bin/sh
echo started
exit 1
`

/** The connection breaks, and the engine goes on with what it was asked for. */
function createLater(incoming: IncomingMessage): void {
  const body: Buffer[] = []
  incoming.on('data', (chunk: Buffer) => body.push(chunk))
  incoming.on('end', () => {
    incoming.socket.destroy()
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.concat(body).length }
    const onward = request({ socketPath: REAL, method: 'POST', path: incoming.url, headers }, async (answer) => {
      let text = ''
      for await (const chunk of answer) text += chunk
      late.push((JSON.parse(text) as { Id: string }).Id)
    })
    // Long after the host has looked for what it had begun to make.
    setTimeout(() => onward.end(Buffer.concat(body)), 1000)
  })
}

function relay(incoming: IncomingMessage, response: ServerResponse): void {
  if (fault !== undefined && incoming.method === 'POST' && incoming.url!.includes('/containers/create')) {
    if (fault === 'hang-up') {
      incoming.socket.destroy()
      return
    }
    if (fault === 'late') {
      fault = undefined
      createLater(incoming)
      return
    }
    response.writeHead(fault.status, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify({ message: fault.message }))
    return
  }
  const onward = request(
    { socketPath: REAL, method: incoming.method, path: incoming.url, headers: incoming.headers },
    (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      response.flushHeaders()
      answer.pipe(response)
    },
  )
  onward.on('error', () => response.destroy())
  response.on('close', () => onward.destroy())
  incoming.pipe(onward)
}

/** The operator's entries about a refusal. */
function logged(code: string): Record<string, unknown>[] {
  return host.log.filter((line) => String(line.msg).startsWith(code))
}

describe('when the engine', () => {
  it.each([
    ['refuses access', { status: 403, message: 'permission denied' }, 'EC2AccessDeniedException', 502],
    ['is overloaded', { status: 503, message: 'too busy' }, 'EC2ThrottledException', 502],
    [
      'has no disk left',
      { status: 500, message: 'write /var/lib/x: no space left on device' },
      'EC2ThrottledException',
      502,
    ],
    ['has lost the image', { status: 404, message: 'No such image: hearth-runtime:x' }, 'InvalidRuntimeException', 502],
    ['says something unexpected', { status: 500, message: 'the moon is wrong' }, 'EC2UnexpectedException', 502],
    ['hangs up', 'hang-up', 'EC2UnexpectedException', 502],
  ] as const)(
    '%s, the invoke is answered as documented and the operator reads the remedy once',
    async (_title, given, code, status) => {
      const name = await freshFunction()
      fault = given
      const before = logged(code).length
      await expect(invoke(host.client, name)).rejects.toMatchObject({
        name: code,
        $metadata: { httpStatusCode: status },
      })
      fault = undefined
      const entries = logged(code).slice(before)
      expect(entries).toHaveLength(1)
      expect(String(entries[0]!.remedy).length).toBeGreaterThan(10)
      expect((await invoke(host.client, name)).StatusCode).toBe(200)
    },
  )

  it('makes a sandbox after the host gave it up, the sandbox is removed', async () => {
    const name = await freshFunction()
    fault = 'late'
    await expect(invoke(host.client, name)).rejects.toThrow()
    const present = async (id: string) => (await engineSays(`/containers/${id}/json`)) === 200
    while (late.length === 0) await new Promise((resolve) => setTimeout(resolve, 50))
    while (await present(late[0]!)) await new Promise((resolve) => setTimeout(resolve, 200))
  })

  it('says something unexpected, the caller gets its code', async () => {
    const name = await freshFunction()
    fault = { status: 500, message: 'the moon is wrong' }
    await expect(invoke(host.client, name)).rejects.toMatchObject({
      name: 'EC2UnexpectedException',
      EC2ErrorCode: '500',
    })
    fault = undefined
  })
})

describe('when the stored package', () => {
  it('is damaged on disk, the invoke is refused with InvalidZipFileException', async () => {
    await createFunction(host.client, 'damaged', { bootstrap: `${BOOTSTRAP}# other\n` }, { Runtime: 'provided.al2023' })
    const { Configuration } = await host.client.send(new GetFunctionCommand({ FunctionName: 'damaged' }))
    expect(Configuration?.CodeSha256).toBeDefined()
    // Every package of this host: its folder and its zip.
    const folder = join(host.data, 'code')
    for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
      const at = join(entry.parentPath, entry.name)
      if (entry.isFile() && entry.name.endsWith('.zip')) await truncate(at, 10)
    }
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) await damage(join(folder, entry.name))
    }
    await expect(invoke(host.client, 'damaged')).rejects.toMatchObject({
      name: 'InvalidZipFileException',
      $metadata: { httpStatusCode: 502 },
    })
  })
})

/** Removes every unpacked folder and leaves the zips. */
async function damage(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const at = join(folder, entry.name)
    if (entry.isDirectory()) await rm(at, { recursive: true, force: true })
    else if (!entry.name.endsWith('.zip')) await rm(at)
  }
}
