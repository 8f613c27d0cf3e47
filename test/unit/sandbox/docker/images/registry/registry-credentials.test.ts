import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isRefusal } from '../../../../../../src/sandbox/docker/images/registry/registry.ts'
import {
  credentialsFor,
  registryOf,
} from '../../../../../../src/sandbox/docker/images/registry/registry-credentials.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-credentials-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const auth = (text: string) => Buffer.from(text).toString('base64')

/** What is found for an image with this config.json and these helpers. */
async function found(configuration: object | string, image: string, helpers: Record<string, string> = {}) {
  const text = typeof configuration === 'string' ? configuration : JSON.stringify(configuration)
  await writeFile(join(folder, 'config.json'), text)
  for (const [name, script] of Object.entries(helpers)) {
    await writeFile(join(folder, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  }
  return credentialsFor(image, { DOCKER_CONFIG: folder, PATH: `${folder}:/usr/bin:/bin` })
}

it.each([
  ['debian:bookworm', 'docker.io'],
  ['team/image', 'docker.io'],
  ['localhost/image', 'localhost'],
  ['registry.example/team/image:v1', 'registry.example'],
  ['127.0.0.1:5000/image@sha256:00', '127.0.0.1:5000'],
])('the registry of %s is %s', (image, registry) => {
  expect(registryOf(image)).toBe(registry)
})

describe('credentials', () => {
  it('are none without a file, and for a registry without a login', async () => {
    expect(await credentialsFor('a.example/b', { DOCKER_CONFIG: join(folder, 'none') })).toBeUndefined()
    expect(await found({ auths: { 'b.example': { auth: auth('u:p') } } }, 'a.example/b')).toBeUndefined()
    expect(await found({}, 'a.example/b')).toBeUndefined()
  })

  it.each([
    ['a.example', 'a.example/team/b'],
    ['https://a.example/v1/', 'a.example/team/b'],
    ['https://index.docker.io/v1/', 'team/b'],
  ])('kept under %s are for %s; a password may have colons', async (key, image) => {
    expect(await found({ auths: { [key]: { auth: auth('user:pass:word') } } }, image)).toEqual({
      username: 'user',
      password: 'pass:word',
      serveraddress: image === 'team/b' ? key : 'a.example',
    })
  })

  it('may be an identity token', async () => {
    const entry = { auth: auth('00000000-0000-0000-0000-000000000000:'), identitytoken: 'token' }
    expect(await found({ auths: { 'a.example': entry } }, 'a.example/b')).toMatchObject({ identitytoken: 'token' })
  })

  it('come from the helper of the registry before the store of all', async () => {
    const configuration = { credsStore: 'all', credHelpers: { 'a.example': 'one' }, auths: { 'b.example': {} } }
    const say = (user: string, secret: string) =>
      `read -r registry; printf '{"ServerURL":"%s","Username":"${user}","Secret":"${secret}"}' "$registry"`
    const helpers = { one: say('one', 'x'), all: say('<token>', 'y') }
    expect(await found(configuration, 'a.example/i', helpers)).toMatchObject({ username: 'one', password: 'x' })
    expect(await found(configuration, 'b.example/i', helpers)).toMatchObject({ identitytoken: 'y' })
  })

  it('that a helper does not have are none', async () => {
    const helpers = { all: 'echo "credentials not found in native keychain"; exit 1' }
    expect(await found({ credsStore: 'all' }, 'a.example/i', helpers)).toBeUndefined()
  })

  it.each([
    ['{"auths": {"a.example": {"auth": "secret"', {}, /it is not a JSON object/],
    ['"secret"', {}, /it is not a JSON object/],
    ['{"credsStore": "absent"}', {}, /docker-credential-absent gives no credentials for a\.example\. Its end: ENOENT/],
    ['{"credsStore": "x; echo"}', {}, /"x; echo" is not a credential helper/],
    ['{"credsStore": "bad"}', { bad: 'echo secret; exit 3' }, /docker-credential-bad .* Its end: 3/],
    ['{"credsStore": "odd"}', { odd: 'echo secret' }, /docker-credential-odd .* It printed something else/],
  ] as [string, Record<string, string>, RegExp][])(
    'of %s end in an error without the secret',
    async (text, helpers, message) => {
      const error = (await found(text, 'a.example/i', helpers).catch((reason: unknown) => reason)) as Error
      expect(error.message).toMatch(message)
      expect(error.message).not.toContain('secret')
    },
  )
})

it.each([
  [{ statusCode: 401, message: 'x' }, true],
  [new Error('Head "http://a/v2/b/manifests/v1": no basic auth credentials'), true],
  [new Error('unauthorized: authentication required'), true],
  [new Error('pull access denied for b, repository does not exist or may require docker login: denied'), true],
  [new Error('manifest unknown: manifest unknown'), false],
  [new Error('dial tcp 127.0.0.1:1: connect: connection refused'), false],
])('%s is a refusal: %s', (error, expected) => {
  expect(isRefusal(error)).toBe(expected)
})
