/** Recorded errors of Invoke, provisioned concurrency and packages, on a host with real packages and the real way of an invoke up to its environment. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteAliasCommand,
  DeleteProvisionedConcurrencyConfigCommand,
  GetFunctionCommand,
  GetProvisionedConcurrencyConfigCommand,
  InvokeCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutProvisionedConcurrencyConfigCommand,
} from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { invokeHandler } from '../../src/api/invoke/invoke.ts'
import { Packages } from '../../src/code/packages.ts'
import type { EnvironmentPool } from '../../src/execution/pool/pool.ts'
import { ChangeReader } from '../../src/invoke/change-reader.ts'
import { Concurrency } from '../../src/invoke/concurrency.ts'
import { Invoker } from '../../src/invoke/invoke.ts'
import { Resolver } from '../../src/invoke/resolve.ts'
import { Keyring } from '../../src/keys/keyring.ts'
import type { Store } from '../../src/store/store.ts'
import { EventBus } from '../../src/telemetry/events.ts'
import observed from '../fixtures/observed-errors-others.json' with { type: 'json' }
import { zipped } from '../support/functions.ts'
import { buildZip } from '../unit/code/build-zip.ts'
import { type ControlPlaneHost, startControlPlaneHost } from './control-plane-host.ts'

let folder: string
let host: ControlPlaneHost
let lambda: ReturnType<ControlPlaneHost['client']>
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-recorded-'))
  const log = { warn: () => {}, error: () => {} }
  const packages = new Packages({ directory: folder, keys: new Keyring(join(folder, 'keys')), log })
  await packages.open()
  host = await startControlPlaneHost({
    code: {
      put: (zip, seal) => packages.put(zip, seal),
      get: (reference) => packages.get(reference),
      prepareLayers: () => Promise.resolve(),
      signatures: () => Promise.resolve({ kind: 'unsigned' }),
    },
    invoke: (store) => invokeHandler(invokerOf(store), log),
  })
  lambda = host.client()
})
afterAll(async () => {
  await host.close()
  rmSync(folder, { recursive: true })
})

/** Every invocation here is refused before an environment is asked for. */
function invokerOf(store: Store): Invoker {
  const concurrency = new Concurrency({ accountLimit: 1000 })
  const resolver = new Resolver(store.targets, concurrency)
  new ChangeReader({ feed: store.targets.changes, consumer: resolver, failed: () => {} })
  return new Invoker({
    resolver,
    concurrency,
    pool: {} as EnvironmentPool,
    queue: store.queue,
    bus: new EventBus(),
    logFailure: () => {},
    wakeQueue: () => {},
    clock: Date.now,
  })
}

let names = 0
const settings = { Runtime: 'python3.12', Role: 'arn:aws:iam::111111111111:role/r', Handler: 'h.h' } as const
async function created(): Promise<string> {
  const FunctionName = `f-${++names}`
  const ZipFile = await zipped({ 'h.py': '' })
  await lambda.send(new CreateFunctionCommand({ FunctionName, ...settings, Code: { ZipFile } }))
  await host.settled()
  return FunctionName
}
/** With version 1 and the alias `live` on it. */
async function published(): Promise<string> {
  const FunctionName = await created()
  await lambda.send(new PublishVersionCommand({ FunctionName }))
  await lambda.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }))
  return FunctionName
}

const put = (FunctionName: string, Qualifier: string, ProvisionedConcurrentExecutions = 1) =>
  lambda.send(new PutProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier, ProvisionedConcurrentExecutions }))
const get = (FunctionName: string, Qualifier: string) =>
  lambda.send(new GetProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier }))
const reserve = (FunctionName: string, ReservedConcurrentExecutions: number) =>
  lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions }))
const invoke = (FunctionName: string, Payload = Buffer.from('{}')) =>
  lambda.send(new InvokeCommand({ FunctionName, Payload }))

interface Provoked {
  readonly sent: Promise<unknown>
  /** In place of the placeholders of the recorded text. */
  readonly is?: Readonly<Record<string, string>>
}

/** By the test that recorded the row. */
const PROVOCATIONS: Readonly<Record<string, (message: string) => Promise<Provoked>>> = {
  'test_reserved_provisioned_overlap / reserved_lower_than_provisioned_exc': async () => {
    const name = await published()
    await put(name, '1', 2)
    return { sent: reserve(name, 1) }
  },
  'test_reserved_provisioned_overlap / reserved_equals_provisioned_another_provisioned_exc': async () => {
    const name = await published()
    await reserve(name, 2)
    return { sent: put(name, '1', 3) }
  },
  'test_provisioned_concurrency_exceptions / put_provisioned_latest': async () => ({
    sent: put(await created(), '$LATEST'),
  }),
  'test_provisioned_concurrency_exceptions / get_provisioned_latest': async () => ({
    sent: get(await created(), '$LATEST'),
  }),
  'test_provisioned_concurrency_limits / put_provisioned_concurrency_below_unreserved_min_value': async () => {
    const name = await published()
    return { sent: put(name, '1', (await unreserved()) - 99), is: { '<min_unreserved_concurrency>': '100' } }
  },
  'test_provisioned_concurrency_limits / put_provisioned_concurrency_account_limit_exceeded': async () => {
    const name = await published()
    const limit = await unreserved()
    return { sent: put(name, '1', limit + 1), is: { '<unreserved_concurrency>': String(limit) } }
  },
  'test_lambda_provisioned_concurrency_moves_with_alias / provisioned_concurrency_notfound': async () => ({
    sent: get(await published(), 'live'),
  }),
  'test_lambda_provisioned_lifecycle / put_provisioned_on_alias_versionconflict': async () => {
    const name = await published()
    await put(name, '1')
    return { sent: put(name, 'live') }
  },
  'test_lambda_provisioned_lifecycle / put_provisioned_on_version_conflict': async () => {
    const name = await published()
    await put(name, 'live')
    return { sent: put(name, '1') }
  },
  'test_lambda_provisioned_lifecycle / get_provisioned_alias_postaliasdelete': async () => {
    const FunctionName = await published()
    await put(FunctionName, 'live')
    await lambda.send(new DeleteAliasCommand({ FunctionName, Name: 'live' }))
    return { sent: get(FunctionName, 'live'), is: { '<function-name:1>': FunctionName, '<alias-name>': 'live' } }
  },
  'test_provisioned_concurrency_exceptions / put_provisioned_qualifier_doesnotexist': async () => {
    const name = await created()
    return { sent: put(name, 'doesnotexist'), is: { '<function-name:1>': name } }
  },
  'test_provisioned_concurrency_exceptions / get_provisioned_qualifier_doesnotexist': async () => {
    const name = await created()
    return { sent: get(name, 'noalias'), is: { '<function-name:1>': name } }
  },
  'test_provisioned_concurrency_exceptions / get_provisioned_functionname_doesnotexist': async () => ({
    sent: get('doesnotexist', 'noalias'),
  }),
  'test_provisioned_concurrency_exceptions / delete_provisioned_functionname_doesnotexist': async () => ({
    sent: lambda.send(new DeleteProvisionedConcurrencyConfigCommand({ FunctionName: 'doesnotexist', Qualifier: '1' })),
  }),
  'test_oversized_lambda / invalid_param_exc': async () => ({
    sent: lambda.send(
      new CreateFunctionCommand({
        FunctionName: 'large',
        ...settings,
        Code: { ZipFile: buildZip([{ name: 'h.py', data: 'x', size: 262_144_001 }]) },
      }),
    ),
  }),
  'test_lambda_image_versions / invalid_sha_publish': async () => {
    const FunctionName = 'image'
    await lambda.send(
      new CreateFunctionCommand({
        FunctionName,
        Role: settings.Role,
        PackageType: 'Image',
        Code: { ImageUri: 'repository:next' },
      }),
    )
    await host.settled()
    const CodeSha256 = 'a'.repeat(64)
    // Of the image that the host knows under that tag.
    const is = { '<code-sha256:1>': 'b'.repeat(64) }
    return { sent: lambda.send(new PublishVersionCommand({ FunctionName, CodeSha256 })), is }
  },
  'test_lambda_invoke_payload_encoding_error[body-n\\x87r\\x9e\\xe9\\xb5\\xd7I\\xee\\x9bmt] / invoke_function_invalid_payload_body':
    async () => ({ sent: invoke(await created(), Buffer.from('n\x87r\x9e\xe9\xb5\xd7I\xee\x9bmt', 'latin1')) }),
  'test_lambda_invoke_payload_encoding_error[message-\\x99\\xeb,j\\x07\\xa1zYh] / invoke_function_invalid_payload_message':
    async () => ({ sent: invoke(await created(), Buffer.from('\x99\xeb,j\x07\xa1zYh', 'latin1')) }),
  'test_lambda_alias_moving / invocation_exc_not_existent': async () => {
    const name = await created()
    return { sent: invoke(`${name}:non-existent-alias`), is: { '<function-name:1>': name } }
  },
  // The recording names two operations alike; GetFunction does not add the qualifier.
  'test_invoke_exceptions / invoke_function_doesnotexist': async (message) => ({
    sent: message.endsWith(':$LATEST')
      ? invoke('doesnotexist')
      : lambda.send(new GetFunctionCommand({ FunctionName: 'doesnotexist' })),
  }),
  'test_lambda_concurrency_block / invoke_latest_first_exc': async () => {
    const name = await created()
    await reserve(name, 0)
    return { sent: invoke(name) }
  },
  'test_invalid_invoke / invoke_function_name_pattern_exc': async () => ({
    sent: invoke('arn:aws:lambda:us-east-1:123400000000@function:myfn'),
  }),
}

async function unreserved(): Promise<number> {
  return (await host.control.account.settings('111111111111', 'us-east-1')).limit.unreservedConcurrentExecutions
}

describe('recorded errors', () => {
  for (const row of observed) {
    it(`${row.httpStatus} ${row.code}: ${row.seenIn}`, async () => {
      const { sent, is = {} } = await PROVOCATIONS[row.seenIn]!(row.message)
      await expect(sent).rejects.toMatchObject({ name: row.code })
      const { status, headers, body } = lambda.last()
      expect([status, headers['x-amzn-errortype']]).toEqual([row.httpStatus, row.code])
      const text = Object.entries({ ...is, '<partition>': 'aws', '<region>': 'us-east-1' }).reduce(
        (text, [placeholder, value]) => text.replaceAll(placeholder, value),
        row.message,
      )
      const key = row.messageKey.split(' ')[0]!
      const type = row.type === null ? {} : { Type: row.type }
      const reason = 'reason' in row ? { Reason: row.reason } : {}
      expect(JSON.parse(body)).toEqual({ ...reason, ...type, [key]: text })
    })
  }
})
