/** HEARTH_STATE_DELAY_MS: functions stay Pending and InProgress for a while, as they do on AWS. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionCommand,
  PublishVersionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda'
import { afterEach, describe, expect, it } from 'vitest'
import { Preparation } from '../../../src/control/functions/preparation.ts'
import { openStore } from '../../../src/store/open.ts'
import {
  type ControlPlaneHost,
  KnownImages,
  ReadyImages,
  startControlPlaneHost,
} from '../../conformance/control-plane-host.ts'
import { validConfiguration } from '../../support/configuration.ts'

const FunctionName = 'f'
const ARN = 'arn:aws:lambda:us-east-1:111111111111:function:f'
const CREATING = { StateReason: 'The function is being created.', StateReasonCode: 'Creating' }
const UPDATING = {
  LastUpdateStatus: 'InProgress',
  LastUpdateStatusReason: 'The function is being created.',
  LastUpdateStatusReasonCode: 'Creating',
}
/** Longer than any test. */
const FOR_EVER_MS = 600_000

let close = async () => {}
afterEach(() => close())

async function hostWith(stateDelayMs: number) {
  const host: ControlPlaneHost = await startControlPlaneHost({ stateDelayMs })
  close = () => host.close()
  const lambda = host.client()
  const create = () =>
    lambda.send(
      new CreateFunctionCommand({
        FunctionName,
        Role: 'arn:aws:iam::111111111111:role/r',
        Runtime: 'nodejs22.x',
        Handler: 'index.handler',
        Code: { ZipFile: Buffer.from('PK') },
      }),
    )
  const get = async (Qualifier?: string) =>
    (await lambda.send(new GetFunctionCommand({ FunctionName, Qualifier }))).Configuration
  return { host, lambda, create, get }
}

const update = (Timeout: number) => new UpdateFunctionConfigurationCommand({ FunctionName, Timeout })

describe('a new function', () => {
  it('stays Pending with the reason of AWS, and is updated, published and made again by nobody meanwhile', async () => {
    const { lambda, create, get } = await hostWith(FOR_EVER_MS)
    expect(await create()).toMatchObject({ State: 'Pending', ...CREATING })
    expect(await get()).toMatchObject({ State: 'Pending', ...CREATING })
    const pending = {
      name: 'ResourceConflictException',
      message: `The operation cannot be performed at this time. The resource ${ARN} is currently in the following state: 'Pending'. StateReasonCode: 'Creating'`,
    }
    await expect(lambda.send(update(5))).rejects.toMatchObject(pending)
    await expect(lambda.send(new PublishVersionCommand({ FunctionName }))).rejects.toMatchObject(pending)
    await expect(create()).rejects.toMatchObject({ message: 'Function already exist: f' })
    await lambda.send(new DeleteFunctionCommand({ FunctionName }))
    await expect(get()).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })

  it('is Active for who waits, and not before its time', async () => {
    const { lambda, create, get } = await hostWith(300)
    const begun = performance.now()
    await create()
    await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, { FunctionName })
    expect(performance.now() - begun).toBeGreaterThanOrEqual(299)
    expect(await get()).toMatchObject({ State: 'Active', LastUpdateStatus: 'Successful' })
  })
})

describe('an update', () => {
  it('stays InProgress, its new version Pending, and a second update is refused meanwhile', async () => {
    const { host, lambda, create, get } = await hostWith(1000)
    await create()
    await host.settled()
    const published = await lambda.send(
      new UpdateFunctionCodeCommand({ FunctionName, ZipFile: Buffer.from('PK2'), Publish: true }),
    )
    expect(published).toMatchObject({ Version: '1', State: 'Pending', ...CREATING })
    expect(published.LastUpdateStatus).toBeUndefined()
    // The second of the delay is long for two calls; where it was too short after all, nothing is refused any more.
    const latest = await get()
    if (latest?.LastUpdateStatus === 'InProgress') expect(latest).toMatchObject({ State: 'Active', ...UPDATING })
    await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, { FunctionName })
    expect(await get('1')).toMatchObject({ State: 'Active', LastUpdateStatus: 'Successful' })
  })

  it('says InProgress in its own answer without any delay, too', async () => {
    const { host, lambda, create } = await hostWith(0)
    expect(await create()).toMatchObject({ State: 'Pending', ...CREATING })
    await host.settled()
    expect(await lambda.send(update(5))).toMatchObject({ State: 'Active', ...UPDATING })
    await host.settled()
    const code = { FunctionName, ZipFile: Buffer.from('PK2') }
    expect(await lambda.send(new UpdateFunctionCodeCommand(code))).toMatchObject({ State: 'Active', ...UPDATING })
  })
})

describe('a restart of the host amid the delay', () => {
  const key = { account: '111111111111', region: 'us-east-1', name: 'f' }
  const log = { info: () => {}, warn: () => {}, error: () => {} }
  const images = { images: new ReadyImages(), functionImages: new KnownImages() }

  it('does not begin it anew, and refuses a second update until it is over', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hearth-delay-'))
    const store = await openStore(join(folder, 'hearth.db'))
    close = async () => {
      await store.close()
      rmSync(folder, { recursive: true })
    }
    const preparation = (now: number) =>
      new Preparation(store.functions, images, log, { clock: () => now, stateDelayMs: FOR_EVER_MS })
    const configuration = validConfiguration({})
    const { latest } = await store.functions.create(key, { configuration, tags: {}, publish: false }, 1000)
    await store.functions.completeUpdate(key, latest.deploymentId, { ok: true })
    const change = () => ({ ...configuration, timeout: 9 })
    const begun = await store.functions.beginUpdate(key, { change, publish: false }, 1000)
    const first = preparation(1000)
    first.start(begun.latest)
    await expect(store.functions.beginUpdate(key, { change, publish: false }, 2000)).rejects.toMatchObject({
      name: 'ResourceConflictException',
      message: `The operation cannot be performed at this time. An update is in progress for resource: ${ARN}`,
    })
    first.close()
    await first.settled()
    expect((await store.functions.find(key))?.latest.lastUpdateStatus).toBe('InProgress')
    const second = preparation(1000 + FOR_EVER_MS)
    expect(await second.resume()).toBe(1)
    await second.settled()
    expect((await store.functions.find(key))?.latest).toMatchObject({ timeout: 9, lastUpdateStatus: 'Successful' })
  })
})
