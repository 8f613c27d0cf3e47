/** Runtime versions in real containers: the operator's image of a runtime changes, and each function takes it or stays. */
import {
  GetFunctionConfigurationCommand,
  GetRuntimeManagementConfigCommand,
  PutRuntimeManagementConfigCommand,
  type PutRuntimeManagementConfigCommandInput,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { active, createFunction, invoke } from '../support/functions.ts'
import { startTestHost, type TestHost } from '../support/host.ts'
import { buildImage, removeImages } from '../support/images.ts'

const IMAGE = 'hearth-test-runtime:moving'
let host: TestHost
const built = new Set<string>()

async function build(mark: string): Promise<void> {
  built.add(await buildImage(IMAGE, `FROM hearth-runtime:python3.13\nENV MARK=${mark}\n`))
}

beforeAll(async () => {
  const plain = await startTestHost()
  await plain.runtimes.build(['python3.13'])
  await plain.stop()
  await build('first')
  host = await startTestHost({ runtimeImageMap: { 'python3.13': IMAGE } })
})
afterAll(async () => {
  await host?.stop()
  await removeImages(built)
})

const create = (name: string) =>
  createFunction(
    host.client,
    name,
    { 'index.py': 'import os\ndef handler(event, context): return os.environ["MARK"]' },
    { Runtime: 'python3.13' },
  )
const manage = (FunctionName: string, input: Omit<PutRuntimeManagementConfigCommandInput, 'FunctionName'>) =>
  host.client.send(new PutRuntimeManagementConfigCommand({ FunctionName, ...input }))
const update = async (FunctionName: string) => {
  await host.client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Description: 'changed' }))
  await active(host.client, FunctionName)
}
const runtimeOf = async (FunctionName: string) => {
  const { RuntimeVersionConfig } = await host.client.send(new GetFunctionConfigurationCommand({ FunctionName }))
  return RuntimeVersionConfig?.RuntimeVersionArn ?? ''
}

it('Auto takes the new image, FunctionUpdate takes it with the next change, Manual stays and goes back', async () => {
  for (const name of ['auto', 'with-update', 'manual']) await create(name)
  const first = await runtimeOf('manual')
  expect(first).toMatch(/^arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}$/)
  expect([...built][0]).toBe(`sha256:${first.slice(-64)}`)
  await manage('with-update', { UpdateRuntimeOn: 'FunctionUpdate' })
  expect(await manage('manual', { UpdateRuntimeOn: 'Manual', RuntimeVersionArn: first })).toMatchObject({
    UpdateRuntimeOn: 'Manual',
    RuntimeVersionArn: first,
  })
  expect((await invoke(host.client, 'manual')).body).toBe('first')

  await build('second')
  const marks = async () =>
    Object.fromEntries(
      await Promise.all(
        ['auto', 'with-update', 'manual'].map(async (name) => [name, (await invoke(host.client, name)).body]),
      ),
    )
  expect(await marks()).toEqual({ auto: 'second', 'with-update': 'first', manual: 'first' })
  await update('with-update')
  await update('manual')
  expect(await marks()).toEqual({ auto: 'second', 'with-update': 'second', manual: 'first' })
  expect(await runtimeOf('manual')).toBe(first)
  const second = await runtimeOf('with-update')
  expect(second).not.toBe(first)

  await manage('auto', { UpdateRuntimeOn: 'Manual', RuntimeVersionArn: first })
  await manage('manual', { UpdateRuntimeOn: 'Auto' })
  expect(await marks()).toEqual({ auto: 'first', 'with-update': 'second', manual: 'second' })
  expect(await host.client.send(new GetRuntimeManagementConfigCommand({ FunctionName: 'manual' }))).not.toHaveProperty(
    'RuntimeVersionArn',
  )

  const unknown = `${first.slice(0, -64)}${'0'.repeat(64)}`
  await expect(manage('auto', { UpdateRuntimeOn: 'Manual', RuntimeVersionArn: unknown })).rejects.toMatchObject({
    name: 'InvalidParameterValueException',
    message: expect.stringContaining('is not one of python3.13 on this host'),
  })
  expect((await invoke(host.client, 'auto')).body).toBe('first')
})
