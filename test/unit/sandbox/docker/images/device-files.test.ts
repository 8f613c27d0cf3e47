import { PassThrough } from 'node:stream'
import type Dockerode from 'dockerode'
import * as tar from 'tar-stream'
import { expect, it } from 'vitest'
import { Devices, type Entry, refusedDevice } from '../../../../../src/sandbox/docker/images/device-files.ts'

const character = (name: string, devmajor: number, devminor: number): Entry => ({
  name,
  type: 'character-device',
  devmajor,
  devminor,
})
const block = (name: string): Entry => ({ name, type: 'block-device', devmajor: 8, devminor: 0 })
const link = (name: string, linkname: string): Entry => ({ name, type: 'link', linkname })

function refusalOf(...entries: Entry[]): string | undefined {
  const devices = new Devices()
  return entries.map((entry) => devices.refusal(entry)).find((refusal) => refusal !== undefined)
}

it('devices of the machine are refused by their path', () => {
  expect(refusalOf({ name: 'x', type: 'file' }, character('a/console', 5, 1))).toBe(
    'The image contains the device file /a/console (character device 5:1), which a function cannot have. Build the image without it.',
  )
  expect(refusalOf(block('./disk'))).toContain('/disk (block device 8:0)')
  // Not zero of the same numbers.
  expect(refusalOf({ ...character('x', 1, 5), type: 'block-device' })).toContain('/x (block device 1:5)')
})

it('devices that give nothing away stay, as do those that the sandbox hides below /dev', () => {
  const harmless = [
    [1, 3],
    [1, 5],
    [1, 7],
    [1, 8],
    [1, 9],
    [5, 0],
    [5, 2],
  ].map(([major = 0, minor = 0]) => character(`chroot/dev/${major}-${minor}`, major, minor))
  expect(refusalOf(...harmless, character('dev/console', 5, 1), block('./dev/sda'), character('/dev/mem', 1, 1))).toBe(
    undefined,
  )
  expect(refusalOf(character('device', 5, 1))).toContain('/device ')
})

it('a second name of a hidden device is refused, whatever way it leads', () => {
  const hidden = character('dev/console', 5, 1)
  expect(refusalOf(hidden, link('a', 'dev/console'))).toContain('/a (character device 5:1)')
  expect(refusalOf(hidden, link('dev/b', './dev/console'), link('c', '/dev/b'))).toContain('/c (')
  expect(refusalOf(hidden, link('a', 'dev/null'), { name: 'l', type: 'symlink', linkname: '/dev/console' })).toBe(
    undefined,
  )
})

function engineWith(content: NodeJS.ReadableStream) {
  const calls: string[] = []
  const container = {
    export: () => Promise.resolve(content),
    remove: () => Promise.resolve(calls.push('remove')),
  }
  const docker = { createContainer: () => Promise.resolve(container) } as unknown as Dockerode
  return { docker, calls }
}

it('an image is read to its end, or to the first device, and nothing of it stays', async () => {
  for (const [name, refused] of [
    ['last', true],
    ['dev/last', false],
  ] as const) {
    const image = tar.pack()
    for (let i = 0; i < 100; i++) image.entry({ name: `file${i}` }, 'x'.repeat(2000))
    image.entry({ name, type: 'character-device', devmajor: 5, devminor: 1 })
    image.finalize()
    const { docker, calls } = engineWith(image as unknown as NodeJS.ReadableStream)
    expect((await refusedDevice(docker, 'i')) !== undefined).toBe(refused)
    expect(calls).toEqual(['remove'])
  }
})

it('an image that cannot be read to its end is an error, not one without devices', async () => {
  const image = tar.pack()
  image.entry({ name: 'file' }, 'x'.repeat(2000))
  image.finalize()
  const whole: Buffer[] = []
  for await (const chunk of image) whole.push(chunk as Buffer)
  for (const end of ['cut', 'error'] as const) {
    const content = new PassThrough()
    content.write(Buffer.concat(whole).subarray(0, 1000))
    if (end === 'cut') content.end()
    else setImmediate(() => content.destroy(new Error('the engine went away')))
    const { docker, calls } = engineWith(content)
    await expect(refusedDevice(docker, 'i')).rejects.toMatchObject({ name: 'SandboxError' })
    expect(calls).toEqual(['remove'])
  }
})

it('an engine that stops sending is given up', async () => {
  const content = new PassThrough()
  const { docker, calls } = engineWith(content)
  await expect(refusedDevice(docker, 'i', { limitMs: 20 })).rejects.toMatchObject({ name: 'SandboxError' })
  expect([calls, content.destroyed]).toEqual([['remove'], true])
})

it('external extensions of an image are told by name, a few at the most', async () => {
  const image = tar.pack()
  image.entry({ name: 'opt/extensions/', type: 'directory' })
  image.entry({ name: 'opt/extensions/folder', type: 'directory' })
  image.entry({ name: 'var/opt/extensions/other' }, 'x')
  for (let i = 0; i < 20; i++) image.entry({ name: `./opt/extensions/e${i}` }, 'x')
  image.finalize()
  const { docker } = engineWith(image as unknown as NodeJS.ReadableStream)
  const told: string[] = []
  expect(await refusedDevice(docker, 'i', { extension: (name) => void told.push(name) })).toBeUndefined()
  expect(told).toEqual(Array.from({ length: 10 }, (_, i) => `e${i}`))
})
