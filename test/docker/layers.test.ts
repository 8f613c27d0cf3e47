/** Layers in real containers: where runtimes find them, which one wins, and that nobody can change them. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  AddPermissionCommand,
  DeleteLayerVersionCommand,
  PublishLayerVersionCommand,
  RemovePermissionCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { active, createFunction, type Files, invoke, zipped } from '../support/functions.ts'
import { startTestHost, type TestHost, testClient } from '../support/host.ts'
import { buildZip, FILE } from '../unit/code/build-zip.ts'

let host: TestHost
beforeAll(async () => {
  host = await startTestHost()
})
afterAll(() => host?.stop())

async function publishLayer(LayerName: string, files: Files): Promise<string> {
  const { LayerVersionArn } = await host.client.send(
    new PublishLayerVersionCommand({ LayerName, Content: { ZipFile: await zipped(files) } }),
  )
  return LayerVersionArn ?? ''
}

const node = `
const fs = require('fs')
const attempt = (act) => { try { act(); return 'done' } catch (error) { return error.code } }
exports.handler = async () => ({
  greeting: require('greeting'),
  versioned: require('versioned'),
  order: fs.readFileSync('/opt/order.txt', 'utf8'),
  write: attempt(() => fs.writeFileSync('/opt/order.txt', 'x')),
  create: attempt(() => fs.writeFileSync('/opt/new.txt', 'x')),
  chmod: attempt(() => fs.chmodSync('/opt/order.txt', 0o777)),
  tool: require('child_process').execFileSync('tool.sh').toString().trim(),
  libraries: process.env.LD_LIBRARY_PATH.split(':').includes('/opt/lib'),
})`

describe('layers', () => {
  it('are found by a Node.js function, later ones win, and nobody can write to /opt', async () => {
    const first = await publishLayer('first', {
      'nodejs/node_modules/greeting/index.js': 'module.exports = "first"',
      'order.txt': 'first',
    })
    const second = await publishLayer('second', {
      'nodejs/node22/node_modules/versioned/index.js': 'module.exports = "22"',
      'order.txt': 'second',
      'bin/tool.sh': '#!/bin/sh\necho from a layer\n',
    })
    await createFunction(host.client, 'node', { 'index.js': node }, { Layers: [first, second] })
    const expected = {
      greeting: 'first',
      versioned: '22',
      order: 'second',
      write: 'EROFS',
      create: 'EROFS',
      chmod: 'EROFS',
      tool: 'from a layer',
      libraries: true,
    }
    expect((await invoke(host.client, 'node')).body).toEqual(expected)

    await host.client.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'node', Layers: [second, first] }))
    await active(host.client, 'node')
    expect((await invoke(host.client, 'node')).body).toEqual({ ...expected, order: 'first' })

    // The deleted versions keep serving the function, and both orders were merged before they were needed.
    await host.client.send(new DeleteLayerVersionCommand({ LayerName: 'first', VersionNumber: 1 }))
    await host.client.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'node', Timeout: 4 }))
    await active(host.client, 'node')
    expect((await invoke(host.client, 'node')).body).toEqual({ ...expected, order: 'first' })
    expect(readdirSync(join(host.data, 'layers', 'merged')).filter((name) => !name.endsWith('.json'))).toHaveLength(2)
  })

  it('are found by a Python function', async () => {
    const layer = await publishLayer('python', {
      'python/greeting.py': 'TEXT = "from python"',
      'python/lib/python3.13/site-packages/deeper.py': 'TEXT = "from site-packages"',
    })
    const files = {
      'index.py': 'import greeting, deeper\ndef handler(event, context):\n  return [greeting.TEXT, deeper.TEXT]\n',
    }
    await createFunction(host.client, 'python', files, { Runtime: 'python3.13', Layers: [layer] })
    expect((await invoke(host.client, 'python')).body).toEqual(['from python', 'from site-packages'])
  })
})

describe('links of packages and layers', () => {
  const code = `
import { readFileSync, readlinkSync } from 'node:fs'
import shared from 'shared'
export const handler = async () => ({
  shared,
  library: readFileSync('/opt/lib64/a', 'utf8'),
  climbing: readFileSync('/var/task/up/lib/a', 'utf8'),
  etc: readFileSync('/var/task/passwd', 'utf8').includes('sbx_user1051'),
  python: readlinkSync('/var/task/bin/python'),
})`

  it('mean paths of the sandbox, whether absolute or climbing', async () => {
    const modules = { 'nodejs/node_modules/shared/index.js': 'module.exports = "from layer"' }
    const libraries = { 'lib/a': 'from lib', lib64: { link: '/opt/lib' } }
    const files = {
      'index.mjs': code,
      node_modules: { link: '/opt/nodejs/node_modules' },
      up: { link: '../../opt' },
      passwd: { link: '/etc/passwd' },
      'bin/python': { link: '/usr/bin/python3' },
    }
    const layers = [await publishLayer('modules', modules), await publishLayer('libraries', libraries)]
    await createFunction(host.client, 'linked', files, { Layers: layers })
    expect((await invoke(host.client, 'linked')).body).toEqual({
      shared: 'from layer',
      library: 'from lib',
      climbing: 'from lib',
      etc: true,
      python: '/usr/bin/python3',
    })
  })
})

describe('a package whose files others may not read', () => {
  const zip = buildZip([{ name: 'm.py', data: 'def h(event, context):\n  return 1\n', mode: FILE | 0o660 }])
  const settings = { Runtime: 'python3.13', Handler: 'm.h', Code: { ZipFile: zip } } as const

  it('runs here, and fails as on AWS where permissions are exact', async () => {
    await createFunction(host.client, 'private', {}, settings)
    expect((await invoke(host.client, 'private')).body).toBe(1)
    const exact = await startTestHost({ packagePermissions: 'exact' })
    try {
      await createFunction(exact.client, 'private', {}, settings)
      expect((await invoke(exact.client, 'private')).body).toMatchObject({
        errorMessage: expect.stringContaining("[Errno 13] Permission denied: '/var/task/m.py'"),
      })
    } finally {
      await exact.stop()
    }
  })
})

describe('a resource policy', () => {
  it('lets another account invoke from its addition to its removal', async () => {
    await createFunction(host.client, 'shared', { 'index.js': 'exports.handler = async () => "shared"' })
    const other = testClient(host.url, {
      credentials: { accessKeyId: 'AKIA222222222222', secretAccessKey: 'secret' },
    })
    const FunctionName = 'arn:aws:lambda:us-east-1:000000000000:function:shared'
    const denied = { name: 'AccessDeniedException', $metadata: { httpStatusCode: 403 } }
    await expect(invoke(other, FunctionName)).rejects.toMatchObject(denied)
    const permission = { FunctionName: 'shared', StatementId: 'other' }
    await host.client.send(
      new AddPermissionCommand({ ...permission, Action: 'lambda:InvokeFunction', Principal: '222222222222' }),
    )
    expect((await invoke(other, FunctionName)).body).toBe('shared')
    await host.client.send(new RemovePermissionCommand(permission))
    await expect(invoke(other, FunctionName)).rejects.toMatchObject(denied)
    other.destroy()
  })
})
