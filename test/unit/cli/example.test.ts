import { afterEach, expect, it } from 'vitest'
import { putExample } from '../../../src/cli/example.ts'
import { HostClient } from '../../../src/cli/host-client.ts'
import { type FakeHost, fakeHost } from './fake-host.ts'

const EXAMPLE = new URL('../../../examples/hello', import.meta.url).pathname

let host: FakeHost
afterEach(() => host.close())

/** A host that can make the images of these runtimes only. */
async function put(possible: readonly string[], ready: readonly string[] = []) {
  let made: { Runtime: string; Handler: string } | undefined
  host = await fakeHost(({ method, path, body }) => {
    if (path === '/_hearth/runtimes') return { body: ready.map((runtime) => ({ runtime, state: 'ready' })) }
    if (method === 'DELETE') {
      made = undefined
      return { status: 204, body: '' }
    }
    if (method === 'POST') made = JSON.parse(body)
    if (made === undefined)
      return { status: 404, headers: { 'x-amzn-ErrorType': 'ResourceNotFoundException' }, body: {} }
    const state = possible.includes(made.Runtime)
      ? { State: 'Active' }
      : { State: 'Failed', StateReason: 'The step "Python 3.11 packages" failed' }
    return { body: { FunctionName: 'hello', ...made, ...state, CodeSha256: 'x' } }
  })
  const said: string[] = []
  const client = new HostClient({ endpointUrl: host.url }, {})
  await putExample(client, 'hello', EXAMPLE, (text) => said.push(text))
  return { made, said }
}

it('the example runs on the runtime whose image is there', async () => {
  expect((await put(['nodejs20.x'], ['nodejs20.x', 'python3.11'])).made?.Runtime).toBe('nodejs20.x')
})

it('the example runs on the runtime that is had soonest, and on Node.js where that cannot be had, which it says in one line', async () => {
  expect((await put(['python3.11'])).made).toMatchObject({
    Runtime: 'python3.11',
    Handler: 'lambda_function.lambda_handler',
  })
  await host.close()
  const { made, said } = await put(['nodejs22.x'])
  expect(made).toMatchObject({ Runtime: 'nodejs22.x', Handler: 'index.handler' })
  expect(said.filter((text) => !text.startsWith('Creating'))).toEqual([
    'The image of python3.11 could not be built; the example runs on nodejs22.x instead.',
  ])
})

it('the example fails with the reason where nothing can be had', async () => {
  await expect(put([])).rejects.toThrow('The function hello failed: The step')
})
