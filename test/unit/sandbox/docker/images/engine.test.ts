import { Readable } from 'node:stream'
import type Dockerode from 'dockerode'
import { describe, expect, test } from 'vitest'
import {
  engineArchitecture,
  engineError,
  inspectImage,
  readToEnd,
} from '../../../../../src/sandbox/docker/images/engine.ts'
import { SandboxError } from '../../../../../src/sandbox/driver.ts'

describe('an engine’s progress stream', () => {
  test('is read over chunk boundaries', async () => {
    const lines: string[] = []
    const chunks = [
      '{"stream":"Step 1/2',
      ' : FROM x\\n"}\n{"status":"Pull',
      'ing"}\n',
      '\n{"aux":{}}\n{"stream":"last"}',
    ]
    await readToEnd(Readable.from(chunks), (line) => lines.push(line))
    expect(lines).toEqual(['Step 1/2 : FROM x', 'Pulling', 'last'])
  })

  test('fails with the error that it carries and the lines before it, though the answer was 200', async () => {
    const stream = Readable.from([
      '{"stream":"apt-get: no route"}\n{"error":"returned a non-zero code: 100"}\n{"stream":"after"}\n',
    ])
    const failure = readToEnd(stream, () => {})
    await expect(failure).rejects.toThrow(/non-zero code: 100[\s\S]*apt-get: no route/)
  })
})

describe('an engine’s refusal', () => {
  test('says what was being done and what to do', () => {
    const said = (message: string, fields: object) => Object.assign(new Error(message), fields)
    expect(engineError('Building', said('denied', { code: 'EACCES' }))).toMatchObject({ kind: 'access-denied' })
    expect(engineError('Building', said('refused', { code: 'ECONNREFUSED' }))).toMatchObject({
      kind: 'unexpected',
      code: 'ECONNREFUSED',
      message: 'Building: refused',
      remedy: expect.stringContaining('DOCKER_HOST'),
    })
    expect(engineError('Building', said('no', { statusCode: 500 }))).toMatchObject({ code: '500' })
  })

  test('keeps all lines, which a build printed', () => {
    const printed = Array.from({ length: 100 }, (_, line) => `step ${line} of the build`).join('\n')
    expect(engineError('Building', new Error(printed)).message).toBe(`Building: ${printed}`)
  })

  test('is passed on when it was told already', () => {
    const told = new SandboxError('throttled', '503', 'busy', 'wait')
    expect(engineError('Building', told)).toBe(told)
  })

  test('404 means that an image is not there, anything else is an error', async () => {
    const answering = (error: unknown): Dockerode =>
      ({ getImage: () => ({ inspect: () => Promise.reject(error) }) }) as unknown as Dockerode
    expect(await inspectImage(answering({ statusCode: 404 }), 'x')).toBeUndefined()
    await expect(inspectImage(answering({ statusCode: 500, message: 'no' }), 'x')).rejects.toThrow('image x')
  })
})

test('the engine’s architecture has Lambda’s name', async () => {
  const engine = (Arch: string): Dockerode => ({ version: () => Promise.resolve({ Arch }) }) as unknown as Dockerode
  expect(await engineArchitecture(engine('amd64'))).toBe('x86_64')
  expect(await engineArchitecture(engine('arm64'))).toBe('arm64')
})
