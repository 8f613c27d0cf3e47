import { Duplex } from 'node:stream'
import { expect, it } from 'vitest'
import { DockerSandbox } from '../../../../src/sandbox/docker/container.ts'

it('a sandbox that is destroyed stops its function at once, and its container lives until its turn to be removed', async () => {
  let removed = () => {}
  const sandbox = new DockerSandbox({
    container: { id: 'c' } as never,
    cell: { memoryMb: 128 },
    observer: { output() {}, exit() {}, launchFailure() {}, lost() {} },
    log() {},
    remove: () =>
      new Promise((resolve) => {
        removed = resolve
      }),
  })
  let sent = ''
  const stream = new Duplex({
    read() {},
    write(chunk, _, done) {
      sent += chunk
      done()
    },
  })
  sandbox.connect(stream)
  sandbox.boot()
  const destroyed = sandbox.destroy('the test')
  await Promise.resolve()
  expect(sent).toBe('\nboot\nstop\n')
  expect(stream.destroyed).toBe(false)
  removed()
  await destroyed
  expect(stream.destroyed).toBe(true)
})
