import { describe, expect, it } from 'vitest'
import type { PackageFolder } from '../../../src/code/sealed-packages.ts'
import { Launch, ShutDown } from '../../../src/execution/launch.ts'
import { SandboxError } from '../../../src/sandbox/driver.ts'
import { type FakeHostOptions, fakeHost, SOURCES, until, validVersion } from './fake-host.ts'

const nobody = () => {}

function setUp(options: FakeHostOptions = {}, code: Promise<PackageFolder> | undefined = undefined) {
  const happened: string[] = []
  const folder: PackageFolder = {
    path: '/code',
    release: () => {
      happened.push(`released, ${fake.live()} sandboxes`)
      return Promise.resolve()
    },
  }
  const packages = { folder: () => code?.then(() => folder) ?? Promise.resolve(folder) }
  const fake = fakeHost({ ...options, sources: { packages } })
  const launch = new Launch({
    host: fake.host,
    version: validVersion(),
    initialization: 'on-demand',
    logStream: 's',
    session: { ready: nobody, initError: nobody, outcome: nobody },
    sandbox: { output: nobody, exit: nobody, launchFailure: nobody, lost: nobody },
  })
  return { launch, happened, folder }
}

describe('the folder of a package', () => {
  it('is given back when its sandbox is gone', async () => {
    const { launch, happened } = setUp()
    await launch.run()
    expect(happened).toEqual([])
    await launch.undo('test')
    expect(happened).toEqual(['released, 0 sandboxes'])
  })

  it('is given back when the sandbox could not be started', async () => {
    const { launch, happened } = setUp({
      refuseStart: () => new SandboxError('image-missing', '404', 'no such image', 'Pull it.'),
    })
    await expect(launch.run()).rejects.toThrow(SandboxError)
    await launch.undo('test')
    expect(happened).toEqual(['released, 0 sandboxes'])
  })

  it('is given back when it was opened after nobody wanted it any more', async () => {
    let opened = (_: PackageFolder) => {}
    const { launch, happened, folder } = setUp(
      {},
      new Promise((resolve) => {
        opened = resolve
      }),
    )
    const running = launch.run()
    const refused = expect(running).rejects.toThrow(ShutDown)
    await launch.undo('test')
    expect(happened).toEqual([])
    opened(folder)
    await refused
    expect(happened).toEqual(['released, 0 sandboxes'])
  })
})

const STEPS = ['image', 'code', 'layers', 'reserve', 'open', 'start'] as const

describe.each(['fails', 'is undone'] as const)('a launch that %s', (how) => {
  it.each(STEPS)('at the step %s gives everything back', async (at) => {
    const held = new Set<string>()
    let undone: Promise<void> | undefined
    /** What a step gives, with its way back under that name. */
    const step = async <T>(name: (typeof STEPS)[number], give: () => Promise<T>, back?: keyof T): Promise<T> => {
      await new Promise((resolve) => setImmediate(resolve))
      if (name === at && how === 'fails') throw new Error('no')
      if (name === at) undone = launch.undo('test')
      const given = await give()
      if (back === undefined) return given
      held.add(name)
      return { ...given, [back]: async () => void held.delete(name) }
    }
    const { host, live } = fakeHost({
      sources: {
        runtimeImages: { ...SOURCES.runtimeImages, imageFor: () => step('image', async () => 'image') },
        packages: {
          folder: () => step('code', async () => ({ path: '/code', release: async () => {} }), 'release'),
        },
        layers: { folder: () => step('layers', async () => undefined) },
      },
    })
    const { driver, listeners } = host
    const launch = new Launch({
      host: {
        ...host,
        listeners: { ...listeners, open: (options) => step('open', () => listeners.open(options), 'close') },
        driver: {
          ...driver,
          reserve: () => step('reserve', () => driver.reserve(), 'release'),
          // The sandbox has the place from here on.
          start: (cell, workload, observer) =>
            step('start', async () => {
              const sandbox = await driver.start(cell, workload, observer)
              const destroy = async (reason: string) => {
                await sandbox.destroy(reason)
                cell.place.release()
              }
              return { ...sandbox, destroy }
            }),
        },
      },
      version: validVersion(),
      initialization: 'on-demand',
      logStream: 's',
      session: { ready: nobody, initError: nobody, outcome: nobody },
      sandbox: { output: nobody, exit: nobody, launchFailure: nobody, lost: nobody },
    })
    await expect(launch.run()).rejects.toThrow(how === 'fails' ? 'no' : ShutDown)
    await (undone ?? launch.undo('test'))
    await until(() => held.size === 0 && live() === 0)
  })
})
