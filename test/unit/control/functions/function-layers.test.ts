import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CodeStore } from '../../../../src/control/code/code-store.ts'
import { checkUnzippedSize, FunctionLayers, withLayers } from '../../../../src/control/functions/function-layers.ts'
import { LIMITS } from '../../../../src/lambda/limits.ts'
import { openStore } from '../../../../src/store/open.ts'
import type { Store } from '../../../../src/store/store.ts'
import { validConfiguration } from '../../../support/configuration.ts'

const key = { account: '111111111111', region: 'us-east-1', name: 'f' }
const MIB = 1024 * 1024

let folder: string
let store: Store
let prepared: (readonly string[])[]
let layers: FunctionLayers

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-function-layers-'))
  store = await openStore(join(folder, 'hearth.db'))
  prepared = []
  const code: CodeStore = {
    put: (zip) => Promise.resolve({ sha256Base64: 'old', size: zip.length, unzippedBytes: 200 * MIB }),
    get: () => Promise.resolve(new Uint8Array(1)),
    prepareLayers: (hashes) => Promise.resolve(void prepared.push(hashes)),
    signatures: () => Promise.resolve({ kind: 'unsigned' }),
  }
  layers = new FunctionLayers(store.layers, code)
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

async function publish(name: string, unzippedBytes: number, account = key.account): Promise<string> {
  const content = { description: '', codeSha256: `sha-${name}`, codeSize: 1, unzippedBytes }
  const { version } = await store.layers.publish({ ...key, account, name }, content, 0)
  return `arn:aws:lambda:us-east-1:${account}:layer:${name}:${version}`
}

describe("a function's layers", () => {
  it('are merged in their order before the function is written', async () => {
    const [a, b] = [await publish('a', 1), await publish('b', 2)]
    const resolved = await layers.resolve(key, [b, a])
    expect(resolved.map(({ arn, unzippedBytes }) => [arn, unzippedBytes])).toEqual([
      [b, 2],
      [a, 1],
    ])
    expect(prepared).toEqual([['sha-b', 'sha-a']])
    await layers.resolve(key, [])
    expect(prepared).toHaveLength(1)
  })

  it('may not weigh more than 250 MB', async () => {
    const [a, b] = [await publish('a', 250 * MIB), await publish('b', 1)]
    expect(await layers.resolve(key, [a])).toHaveLength(1)
    await expect(layers.resolve(key, [a, b])).rejects.toThrow(
      'Layers consume more than the available size of 262144000 bytes',
    )
    expect(prepared).toHaveLength(1)
  })

  it('may not weigh more than 250 MB together with the code, as it is when the update is written', async () => {
    const arn = await publish('a', 100 * MIB)
    const before = validConfiguration({ unzippedBytes: 150 * MIB })
    const change = await layers.change(key, [arn], before)
    expect(change(before).layers).toHaveLength(1)
    // The code was updated in the meantime.
    expect(() => change({ ...before, unzippedBytes: 150 * MIB + 1 })).toThrow(
      'Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. The actual size is 262144001 bytes.',
    )
  })

  it('measure the code of a function that was created before sizes were kept', async () => {
    const arn = await publish('a', 51 * MIB)
    const change = await layers.change(key, [arn], validConfiguration())
    expect(() => change(validConfiguration())).toThrow(/exceeds the maximum allowed size/)
    expect((await layers.change(key, [], validConfiguration()))(validConfiguration({ layers: [] }))).not.toHaveProperty(
      'layers',
    )
  })

  it('are left alone by a change that does not name them', async () => {
    const current = validConfiguration({ layers: [] })
    expect((await layers.change(key, undefined, current))(current)).toBe(current)
  })

  it.each([
    'arn:aws:lambda:::awslayer:AmazonLinux1803',
    'arn:aws:lambda:us-east-1:111111111111:layer:a:0',
    'arn:aws:lambda:us-east-1:111111111111:layer:a:99999999999999999999',
  ])('that do not exist are named: %s', async (arn) => {
    await expect(layers.resolve(key, [arn])).rejects.toThrow(`Layer version ${arn} does not exist.`)
  })

  it('of another account that do not exist look like those that may not be read', async () => {
    const arn = await publish('a', 1, '222222222222')
    for (const one of [arn, arn.replace(':a:', ':none:'), arn.replace('us-east-1', 'eu-west-1')]) {
      await expect(layers.resolve(key, [one])).rejects.toMatchObject({
        name: 'AccessDeniedException',
        message: expect.stringContaining(one),
      })
    }
  })
})

describe('the size of code and layers', () => {
  const layer = { arn: 'a', codeSha256: 'a', codeSize: 1, unzippedBytes: 1 }

  it('is that of the code alone where there are no layers', () => {
    expect(() => checkUnzippedSize(LIMITS.unzippedBytes + 1, [])).not.toThrow()
    expect(() => checkUnzippedSize(LIMITS.unzippedBytes - 1, [layer])).not.toThrow()
    expect(() => checkUnzippedSize(LIMITS.unzippedBytes, [layer])).toThrow(/exceeds/)
  })

  it('does not keep an empty list', () => {
    expect(withLayers(validConfiguration({ layers: [layer] }), [])).not.toHaveProperty('layers')
  })
})
