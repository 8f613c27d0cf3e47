import type Dockerode from 'dockerode'
import { describe, expect, test } from 'vitest'
import {
  DockerRuntimeImages,
  type DockerRuntimeImagesOptions,
} from '../../../../../src/sandbox/docker/images/runtime-images.ts'

/** An engine that has some images and counts what it is asked. */
function engine(tags: readonly string[]): { docker: Dockerode; present: Set<string>; asked: () => number } {
  const present = new Set(tags)
  let asked = 0
  const docker = {
    version: () => Promise.resolve({ Arch: 'amd64' }),
    listImages: () => Promise.resolve([{ RepoTags: [...present] }, { RepoTags: null }]),
    getImage: (name: string) => ({
      inspect: () => {
        asked += 1
        if (!present.has(name)) return Promise.reject(Object.assign(new Error('no such image'), { statusCode: 404 }))
        return Promise.resolve({ Id: `sha256:${name}`, Config: { Labels: {} }, Size: 7, Architecture: 'amd64' })
      },
      distribution: () => Promise.reject(new Error('no registry')),
    }),
  }
  return { docker: docker as unknown as Dockerode, present, asked: () => asked }
}

function images(docker: Dockerode, more: Partial<DockerRuntimeImagesOptions> = {}): DockerRuntimeImages {
  const options = { cacheDir: '/nowhere', map: {}, prefer: 'hearth', substitute: 'off', progress: () => {} } as const
  return new DockerRuntimeImages({ docker, ...options, ...more })
}

describe('the image for a runtime', () => {
  test('is asked for once and then known, until it is said to be gone', async () => {
    const { docker, present, asked } = engine(['hearth-runtime:python3.13'])
    const subject = images(docker)
    expect(await subject.imageFor('python3.13', 'x86_64')).toBe('hearth-runtime:python3.13')
    expect(await subject.imageFor('python3.13', 'x86_64')).toBe('hearth-runtime:python3.13')
    expect(asked()).toBe(1)
    present.clear()
    subject.forget()
    await expect(subject.imageFor('python3.13', 'x86_64')).rejects.toMatchObject({
      kind: 'image-missing',
      remedy: expect.stringContaining('hearth runtimes build python3.13'),
    })
  })

  test('is not remembered as missing', async () => {
    const { docker, present } = engine([])
    const subject = images(docker)
    await expect(subject.imageFor('nodejs22.x', 'x86_64')).rejects.toMatchObject({ kind: 'image-missing' })
    present.add('hearth-runtime:nodejs22.x')
    expect(await subject.imageFor('nodejs22.x', 'x86_64')).toBe('hearth-runtime:nodejs22.x')
  })

  test('is AWS’s where that is preferred and present, else ours', async () => {
    const { docker } = engine(['mirror.example/lambda/python:3.13', 'hearth-runtime:nodejs22.x'])
    const subject = images(docker, { prefer: 'aws' })
    expect(await subject.imageFor('python3.13', 'x86_64')).toBe('mirror.example/lambda/python:3.13')
    expect(await subject.imageFor('nodejs22.x', 'x86_64')).toBe('hearth-runtime:nodejs22.x')
    expect(await images(docker).availability('java21', 'x86_64')).toMatchObject({ available: false })
  })

  test('is the operator’s own where one is mapped, and must be there', async () => {
    const { docker, present } = engine(['hearth-runtime:python3.13'])
    const subject = images(docker, { map: { 'python3.13': 'mine:1' } })
    await expect(subject.imageFor('python3.13', 'x86_64')).rejects.toMatchObject({
      remedy: expect.stringContaining('mine:1'),
    })
    present.add('mine:1')
    expect(await subject.imageFor('python3.13', 'x86_64')).toBe('mine:1')
  })
})

test('availability needs no image, only a way to get one', async () => {
  const { docker } = engine([])
  const subject = images(docker)
  expect(await subject.availability('python3.13', 'x86_64')).toEqual({ available: true })
  expect(await subject.availability('python3.13', 'arm64')).toMatchObject({ available: false })
  expect(await subject.availability('java21', 'x86_64')).toMatchObject({ available: false })
  expect(await images(docker, { map: { java21: 'mine' } }).availability('java21', 'x86_64')).toEqual({
    available: true,
  })
  await expect(subject.prepare('java21', 'x86_64')).rejects.toThrow('java21 is not available on this host')
})

test('a version hash is 64 hex digits, the same in every instance, and another for every runtime and image', () => {
  const { docker } = engine([])
  const hash = (runtime: string, more?: Partial<DockerRuntimeImagesOptions>): string =>
    images(docker, more).versionHash(runtime, 'x86_64')
  expect(hash('python3.13')).toMatch(/^[0-9a-f]{64}$/)
  expect(hash('python3.13')).toBe(hash('python3.13'))
  expect(hash('provided.al2')).not.toBe(hash('provided.al2023'))
  expect(hash('python3.13', { map: { 'python3.13': 'a' } })).not.toBe(
    hash('python3.13', { map: { 'python3.13': 'b' } }),
  )
  expect(images(docker).versionHash('python3.13', 'arm64')).not.toBe(hash('python3.13'))
})

test('the version of a substituted runtime is that of the image that stands in for it, before and after it is prepared', async () => {
  const { docker } = engine(['hearth-runtime:python3.13'])
  const subject = images(docker, { substitute: 'nearest' })
  await subject.recall()
  const before = subject.versionHash('python3.12', 'x86_64')
  expect(before).toBe(subject.versionHash('python3.13', 'x86_64'))
  expect(subject.isVersionOf(before, 'python3.12')).toBe(true)
  expect(subject.isVersionOf(before, 'nodejs22.x')).toBe(false)
  await subject.imageFor('python3.12', 'x86_64')
  expect(subject.versionHash('python3.12', 'x86_64')).toBe(before)
  expect(images(docker).isVersionOf(before, 'python3.12')).toBe(false)
})

test('the list says of each runtime whether it is ready, can be built, or is run by another', async () => {
  const { docker } = engine(['hearth-runtime:nodejs20.x'])
  const list = await images(docker, { substitute: 'nearest', map: { 'my-runtime': 'mine' } }).list()
  const of = (runtime: string): unknown => list.find((row) => row.runtime === runtime)
  expect(of('nodejs20.x')).toEqual({
    runtime: 'nodejs20.x',
    state: 'ready',
    image: 'hearth-runtime:nodejs20.x',
    sizeBytes: 7,
  })
  expect(of('nodejs18.x')).toMatchObject({ state: 'ready', substitute: 'nodejs20.x' })
  expect(of('python3.13')).toMatchObject({ state: 'buildable' })
  expect(of('java21')).toMatchObject({ state: 'unavailable', reason: expect.stringContaining('java21=IMAGE') })
  expect(of('my-runtime')).toMatchObject({ state: 'buildable', image: 'mine' })
})
