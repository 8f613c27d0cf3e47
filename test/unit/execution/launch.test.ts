import { describe, expect, it } from 'vitest'
import type { PackageFolder } from '../../../src/code/sealed-packages.ts'
import { Launch, ShutDown } from '../../../src/execution/launch.ts'
import { SandboxError } from '../../../src/sandbox/driver.ts'
import { type FakeHostOptions, fakeHost, validVersion } from './fake-host.ts'

const nobody = () => {}

function setUp(options: FakeHostOptions = {}, code: Promise<PackageFolder> | undefined = undefined) {
  const fake = fakeHost(options)
  const happened: string[] = []
  const folder: PackageFolder = {
    path: '/code',
    release: () => {
      happened.push(`released, ${fake.live()} sandboxes`)
      return Promise.resolve()
    },
  }
  const launch = new Launch({
    host: { ...fake.host, code: () => code?.then(() => folder) ?? Promise.resolve(folder) },
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
