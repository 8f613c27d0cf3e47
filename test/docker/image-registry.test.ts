/** Images from a registry: found without pulling, pulled by digest, refused, and given up when no function needs them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FunctionVersion } from '../../src/lambda/function.ts'
import { DockerFunctionImages } from '../../src/sandbox/docker/images/function-images.ts'
import { buildImage, docker, removeImages } from '../support/images.ts'
import { type Registry, startRegistry } from '../support/registry.ts'
import { until } from '../support/until.ts'

let registry: Registry
const images = new DockerFunctionImages({ docker, instance: 'test-registry', progress: () => {}, graceMs: 0 })
const engine = process.arch === 'arm64' ? 'arm64' : 'x86_64'
const used = new Set<string>()

const SMALL = 'FROM scratch\nCOPY program /program\nENTRYPOINT ["/program"]\nWORKDIR /work\n'
const present = (name: string) =>
  docker
    .getImage(name)
    .inspect()
    .then(
      () => true,
      () => false,
    )

beforeAll(async () => {
  registry = await startRegistry()
})
afterAll(async () => {
  await removeImages(used)
  await registry?.close()
})

/** Offers a small image in the registry only. */
async function offered(repository: string): Promise<{ uri: string; digest: string }> {
  const local = `hearth-test-offer-${repository}:latest`
  await buildImage(local, SMALL, { program: repository })
  const digest = await registry.offer(local, repository, 'v1')
  await removeImages([local])
  return { uri: `${registry.host}/${repository}:v1`, digest }
}

describe('an image in a registry', () => {
  it('is pinned without being pulled, then pulled by its digest, and given up when nothing needs it', async () => {
    const { uri, digest } = await offered('wanted')
    const { image, digestHex } = await images.resolve(uri)
    const resolvedUri = `${registry.host}/wanted@${digest}`
    used.add(resolvedUri)
    expect({ image, digestHex }).toEqual({
      image: { uri, resolvedUri, reference: resolvedUri },
      digestHex: digest.slice(7),
    })
    expect(await present(resolvedUri)).toBe(false)
    expect(await images.prepare(image, undefined, engine)).toEqual({ ready: true })
    expect((await images.resolve(uri.replace(':v1', `@${digest}`))).digestHex).toBe(digestHex)
    const version = { image, architecture: engine } as FunctionVersion
    expect(await images.forVersion(version)).toEqual({
      reference: resolvedUri,
      program: { arguments: ['/program'], workingDirectory: '/work', volumes: [] },
    })

    expect(await images.collect(new Set([digestHex]))).toBe(0)
    expect(await images.collect(new Set())).toBe(1)
    expect(await present(`hearth-function-test-registry:${digestHex}`)).toBe(false)
  })

  it('is pulled again for an environment when somebody removed it', async () => {
    const { uri } = await offered('removed')
    const { image } = await images.resolve(uri)
    used.add(image.reference)
    await images.prepare(image, undefined, engine)
    await removeImages([image.reference])
    images.forget()
    expect(await images.forVersion({ image, architecture: engine } as FunctionVersion)).toMatchObject({
      reference: image.reference,
    })
  })

  it('does not keep an invocation waiting for a long pull, which goes on for the next one', async () => {
    const hasty = new DockerFunctionImages({ docker, instance: 'test-registry', progress: () => {}, patienceMs: 1 })
    const { uri } = await offered('slow')
    const { image } = await hasty.resolve(uri)
    used.add(image.reference)
    const version = { image, architecture: engine } as FunctionVersion
    const release = registry.hold()
    await expect(hasty.forVersion(version)).rejects.toMatchObject({
      kind: 'image-missing',
      message: expect.stringMatching(/still being pulled/),
    })
    release()
    await until(() => present(image.reference))
    expect(await images.forVersion(version)).toMatchObject({ reference: image.reference })
  })

  it('is ImageAccessDenied when it cannot be pulled any more', async () => {
    const { uri } = await offered('denied')
    const { image } = await images.resolve(uri)
    await expect(images.resolve(`${registry.host}/wanted:v2`)).rejects.toThrow(
      /does not exist\. Provide a valid source/,
    )
    registry.deny()
    expect(await images.prepare(image, undefined, engine)).toMatchObject({
      ready: false,
      code: 'ImageAccessDenied',
      reason: expect.stringMatching(/does not have permission to access the ECR image/),
    })
    await expect(images.forVersion({ image, architecture: engine } as FunctionVersion)).rejects.toMatchObject({
      kind: 'image-missing',
    })
  })
})
