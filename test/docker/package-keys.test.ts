/** A deployment package under a key: it runs, it is downloaded, and its text is on the disk only while an environment has it. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DeleteFunctionCommand, GetFunctionCommand } from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Keyring } from '../../src/keys/keyring.ts'
import { createFunction, invoke, zipped } from '../support/functions.ts'
import { testClient } from '../support/host.ts'
import { type HostProcess, startHostProcess } from '../support/host-process.ts'
import { until } from '../support/until.ts'

const MARKER = 'the-recipe-of-the-house'
const FILES = { 'index.js': `exports.handler = async () => '${MARKER}'` }

let data: string
let host: HostProcess | undefined
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'hearth-package-keys-'))
})
afterAll(async () => {
  await host?.end('SIGTERM')
  await rm(data, { recursive: true, force: true })
})

/** Files of the data folder that hold the marker. */
async function plain(): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(data, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    // One may go while they are looked at.
    if (entry.isFile() && (await readFile(path).catch(() => '')).includes(MARKER)) found.push(path)
  }
  return found
}

describe('a package under a key', () => {
  it('lies on the disk in plain text only where an environment runs, however the host ends', async () => {
    const ring = new Keyring(join(data, 'keys'))
    const SourceKMSKeyArn = ring.create({ account: '000000000000', region: 'us-east-1', description: '' }).arn!
    host = await startHostProcess(data)
    let client = testClient(host.url)
    const ZipFile = await zipped(FILES)
    await createFunction(client, 'secret', FILES, { Code: { ZipFile, SourceKMSKeyArn } })
    expect(await plain()).toEqual([])
    const { Code } = await client.send(new GetFunctionCommand({ FunctionName: 'secret' }))
    expect(Code?.SourceKMSKeyArn).toBe(SourceKMSKeyArn)
    const downloaded = await (await fetch(Code!.Location!)).arrayBuffer()
    expect(Buffer.from(downloaded)).toEqual(Buffer.from(ZipFile))
    expect((await invoke(client, 'secret')).body).toBe(MARKER)
    expect(await plain()).toEqual([expect.stringContaining('/code/opened/')])
    client.destroy()

    await host.end('SIGKILL')
    host = await startHostProcess(data)
    client = testClient(host.url)
    expect(await plain()).toEqual([])
    ring.setState(SourceKMSKeyArn, 'Disabled')
    await expect(invoke(client, 'secret')).rejects.toMatchObject({
      name: 'KMSDisabledException',
      message:
        "Lambda was unable to decrypt the deployment package because the KMS key used is disabled. Please check the function's KMS key settings.",
    })
    const shown = await client.send(new GetFunctionCommand({ FunctionName: 'secret' }))
    expect(shown.Code).toMatchObject({ SourceKMSKeyArn, Error: { ErrorCode: 'KMSDisabledException' } })
    expect(shown.Code).not.toHaveProperty('Location')
    ring.setState(SourceKMSKeyArn, 'Enabled')
    expect((await invoke(client, 'secret')).body).toBe(MARKER)

    // An environment that goes takes the folder with it.
    await client.send(new DeleteFunctionCommand({ FunctionName: 'secret' }))
    await until(async () => (await plain()).length === 0)
    client.destroy()
  })
})
