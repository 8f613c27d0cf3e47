import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { CODE_PATH, CodeLocation } from '../../../../src/api/admin/code-location.ts'
import { LambdaException } from '../../../../src/lambda/errors.ts'
import type { PackageReference } from '../../../../src/lambda/package/package.ts'

const SHA256 = Buffer.alloc(32, 7).toString('base64')

const SEALED = {
  codeSha256: SHA256,
  sealed: { id: 'a', dataKey: { key: 'k', dataKey: 'd', text: 't' }, context: 'function f' },
}

function setUp() {
  let now = 1_000_000
  const asked: PackageReference[] = []
  const packages = new Map([[SHA256, new Uint8Array([80, 75])]])
  const location = new CodeLocation({
    secret: new Uint8Array(32).fill(1),
    code: {
      get: async (reference) => {
        asked.push(reference)
        return packages.get(reference.codeSha256)
      },
    },
    clock: () => now,
  })
  const app = new Hono()
    .get('/url', (c) => c.text(location.url(c, { codeSha256: SHA256 })))
    .get('/sealed', (c) => c.text(location.url(c, SEALED)))
    .get(CODE_PATH, (c) => location.serve(c))
    .onError((error, c) => c.text(error.message, error instanceof LambdaException ? (error.status as 403) : 500))
  const url = async () => (await app.request('/url', { headers: { host: 'lambda.local:9000' } })).text()
  const wait = (ms: number) => {
    now += ms
  }
  return { app, url, packages, wait, asked }
}

describe("GetFunction's Code.Location", () => {
  it('is a URL of the address at which the caller reached the host', async () => {
    expect(await setUp().url()).toMatch(
      /^http:\/\/lambda\.local:9000\/_hearth\/code\/(07){32}\?expires=1600&signature=[0-9a-f]{64}$/,
    )
  })

  it('gives the package for 600 seconds', async () => {
    const { app, url, wait } = setUp()
    const signed = await url()
    wait(600_000)
    const answer = await app.request(signed)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/zip'])
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(new Uint8Array([80, 75]))
    wait(1000)
    const late = await app.request(signed)
    expect([late.status, await late.text()]).toEqual([403, expect.stringContaining('Request has expired')])
  })

  it('refuses another package, another time and another signature', async () => {
    const { app, url } = setUp()
    const signed = await url()
    for (const forged of [
      signed.replace('/07', '/08'),
      signed.replace('expires=1600', 'expires=9999'),
      signed.slice(0, -1),
      signed.replace(/signature=../, 'signature=zz'),
      signed.replace(/&signature.*/, ''),
    ]) {
      expect((await app.request(forged)).status, forged).toBe(403)
    }
  })

  it('says that a package is gone', async () => {
    const { app, url, packages } = setUp()
    packages.clear()
    expect((await app.request(await url())).status).toBe(404)
  })

  it('of an encrypted package carries what opens it, and nobody can exchange that', async () => {
    const { app, asked } = setUp()
    const signed = await (await app.request('/sealed')).text()
    expect((await app.request(signed)).status).toBe(200)
    expect(asked).toEqual([SEALED])
    for (const forged of [signed.replace(/sealed=[^&]*&/, ''), signed.replace('sealed=e', 'sealed=f')]) {
      expect((await app.request(forged)).status, forged).toBe(403)
    }
  })
})
