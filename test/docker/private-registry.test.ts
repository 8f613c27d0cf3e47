/** Images of a registry that wants a password: pulled with what `docker login` left, refused without it, and the password is nowhere. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateFunctionCommand } from '@aws-sdk/client-lambda'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { DockerFunctionImages } from '../../src/sandbox/docker/images/function-images.ts'
import { active, TIMEOUT_S } from '../support/functions.ts'
import { startTestHost, type TestHost } from '../support/host.ts'
import { buildImage, docker, removeImages } from '../support/images.ts'
import { PASSWORD, type PrivateRegistry, startPrivateRegistry, USER } from '../support/private-registry.ts'

const ROLE = 'arn:aws:iam::000000000000:role/test'
const REFUSED = 'Lambda does not have permission to access the ECR image. Check the ECR permissions.'

let host: TestHost
let registry: PrivateRegistry
let folder: string
let uri: string
/** As it is pulled. */
let pinned: string
const before = { DOCKER_CONFIG: process.env.DOCKER_CONFIG, PATH: process.env.PATH }

beforeAll(async () => {
  registry = await startPrivateRegistry()
  folder = await mkdtemp(join(tmpdir(), 'hearth-docker-config-'))
  const local = `hearth-test-private-${process.pid}:latest`
  await buildImage(local, 'FROM scratch\nCOPY program /program\nENTRYPOINT ["/program"]\n', {
    program: String(process.pid),
  })
  uri = await registry.push(local, 'function')
  await removeImages([local, uri])
  host = await startTestHost()
})
afterAll(async () => {
  await host?.stop()
  await removeImages([pinned])
  await registry?.close()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(() => {
  process.env.DOCKER_CONFIG = folder
})
afterEach(async () => {
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
  await rm(join(folder, 'config.json'), { force: true })
})

const configure = (configuration: object) => writeFile(join(folder, 'config.json'), JSON.stringify(configuration))
const login = (password = PASSWORD) => ({
  auths: { [registry.host]: { auth: Buffer.from(`${USER}:${password}`).toString('base64') } },
})
const create = (name: string) =>
  host.client.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Role: ROLE,
      PackageType: 'Image',
      Timeout: TIMEOUT_S,
      Code: { ImageUri: uri },
    }),
  )

it.each([
  ['without credentials', () => configure({})],
  ['with a wrong password', () => configure(login('wrong'))],
])('an image is refused %s, and the caller reads why', async (_title, configured) => {
  await configured()
  await expect(create('refused')).rejects.toMatchObject({
    name: 'AccessDeniedException',
    $metadata: { httpStatusCode: 403 },
    message: expect.stringContaining(`${REFUSED} The registry ${registry.host} refuses ${uri}`),
  })
})

it('an image whose login went away after it was pinned is ImageAccessDenied', async () => {
  const images = new DockerFunctionImages({ docker, instance: 'test-private', progress: () => {} })
  await configure(login())
  const { image } = await images.resolve(uri)
  pinned = image.reference
  await configure(login('wrong'))
  expect(await images.prepare(image, undefined, process.arch === 'arm64' ? 'arm64' : 'x86_64')).toEqual({
    ready: false,
    code: 'ImageAccessDenied',
    reason: expect.stringContaining(REFUSED),
  })
})

it('an image is pulled with the login of the operator, by password and by credential helper', async () => {
  await configure(login())
  await create('by-password')
  await active(host.client, 'by-password')
  await removeImages([pinned])
  await expect(docker.getImage(pinned).inspect()).rejects.toMatchObject({ statusCode: 404 })

  const helper = `#!/bin/sh\nread -r registry\n[ "$1 $registry" = "get ${registry.host}" ] || exit 1\necho '{"ServerURL":"x","Username":"${USER}","Secret":"${PASSWORD}"}'\n`
  await writeFile(join(folder, 'docker-credential-hearth-test'), helper, { mode: 0o755 })
  process.env.PATH = `${folder}:${before.PATH}`
  await configure({ credHelpers: { [registry.host]: 'hearth-test' } })
  await create('by-helper')
  await active(host.client, 'by-helper')
})

it('the password is neither logged nor stored', async () => {
  expect(JSON.stringify(host.log)).not.toContain(PASSWORD)
  for (const file of (await readdir(host.data)).filter((name) => name.startsWith('hearth.db'))) {
    expect((await readFile(join(host.data, file))).includes(PASSWORD)).toBe(false)
  }
})
