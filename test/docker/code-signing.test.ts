/** Signed with the command line as it is shipped, verified by a real host, run in a container. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import {
  CreateCodeSigningConfigCommand,
  PublishLayerVersionCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { issue } from '../support/certificates.ts'
import { createFunction, invoke, zipped } from '../support/functions.ts'
import { startTestHost, type TestHost } from '../support/host.ts'

const HEARTH = resolve(import.meta.dirname, '../../bin/hearth.mjs')
const PROFILE = 'arn:aws:signer:us-east-1:000000000000:/signing-profiles/release/0000000001'

let folder: string
let host: TestHost
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-signed-'))
  const { pem, keyPem } = await issue({ name: 'release', rsaBits: 3072 })
  writeFileSync(join(folder, 'cert.pem'), pem)
  writeFileSync(join(folder, 'key.pem'), keyPem)
  host = await startTestHost({ signingProfiles: { [PROFILE]: join(folder, 'cert.pem') } })
})
afterAll(async () => {
  await host?.stop()
  rmSync(folder, { recursive: true })
})

async function signed(files: Readonly<Record<string, string>>): Promise<Uint8Array> {
  const [plain, out] = [join(folder, 'plain.zip'), join(folder, 'signed.zip')]
  writeFileSync(plain, await zipped(files))
  const options = ['--key', join(folder, 'key.pem'), '--cert', join(folder, 'cert.pem'), '--profile', PROFILE]
  await promisify(execFile)(process.execPath, [HEARTH, 'sign', plain, ...options, '--out', out])
  return readFileSync(out)
}

it('a function with a configuration runs signed code and layers, and keeps them when others are refused', async () => {
  const { client } = host
  const { CodeSigningConfig } = await client.send(
    new CreateCodeSigningConfigCommand({
      AllowedPublishers: { SigningProfileVersionArns: [PROFILE] },
      CodeSigningPolicies: { UntrustedArtifactOnDeployment: 'Enforce' },
    }),
  )
  const { LayerVersionArn, Content } = await client.send(
    new PublishLayerVersionCommand({
      LayerName: 'signed',
      Content: { ZipFile: await signed({ 'nodejs/node_modules/word/index.js': "module.exports = 'signed'" }) },
    }),
  )
  expect(Content?.SigningProfileVersionArn).toBe(PROFILE)
  const ZipFile = await signed({ 'index.js': "exports.handler = async () => require('word')" })
  await createFunction(
    client,
    'signed',
    {},
    {
      Code: { ZipFile },
      Layers: [LayerVersionArn!],
      CodeSigningConfigArn: CodeSigningConfig?.CodeSigningConfigArn,
    },
  )
  const answer = async () => (await invoke(client, 'signed')).body
  expect(await answer()).toBe('signed')

  const unsigned = await zipped({ 'index.js': "exports.handler = async () => 'unsigned'" })
  const refused = client.send(new UpdateFunctionCodeCommand({ FunctionName: 'signed', ZipFile: unsigned }))
  await expect(refused).rejects.toMatchObject({ name: 'CodeVerificationFailedException' })
  expect(await answer()).toBe('signed')
})
