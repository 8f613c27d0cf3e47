import { describe, expect, it } from 'vitest'
import { FunctionWorkloads, type WorkloadSources } from '../../../src/execution/workload.ts'
import { SOURCES, until, validVersion } from './fake-host.ts'

const IDENTITY = {
  initialization: 'on-demand',
  runtimeApi: '10.0.0.1:21000',
  logStream: 's',
  credentials: { accessKeyId: 'ASIA2222000000000000', secretAccessKey: 's', sessionToken: 't' },
  sandboxApi: false,
} as const

const workloads = (sources: Partial<WorkloadSources> = {}) => new FunctionWorkloads({ ...SOURCES, ...sources })

describe('a workload', () => {
  it('is a cell of the function’s size and what runs in it: package, layers and decrypted variables', async () => {
    const version = validVersion({
      memorySize: 512,
      ephemeralStorage: 1024,
      sealedEnvironment: { keyArn: 'arn:key', data: 'sealed' } as never,
    })
    const open = await workloads({
      layers: { folder: async () => '/layers' },
      keys: { ...SOURCES.keys, open: () => '{"SECRET":"open"}' },
      functionEnv: { SITE: 'here' },
    }).open(version)
    expect(open.cell).toMatchObject({ image: 'image', memoryMb: 512, ephemeralStorageMb: 1024 })
    expect(open.cell.functionArn).toMatch(/:function:f:\$LATEST$/)
    const { environment, ...rest } = open.workload(IDENTITY)
    expect(rest).toEqual({ codePath: '/code', layersPath: '/layers' })
    expect(environment).toMatchObject({ SECRET: 'open', SITE: 'here', AWS_LAMBDA_RUNTIME_API: '10.0.0.1:21000' })
  })

  it('of a function that is pinned to a runtime version is in that version’s image', async () => {
    const asked: string[] = []
    const runtimeImages = {
      ...SOURCES.runtimeImages,
      pinnedImage: async (runtime: string, hash: string) => {
        asked.push(runtime, hash)
        return 'pinned'
      },
    }
    const version = validVersion({ runtimePin: 'b'.repeat(64) })
    expect((await workloads({ runtimeImages }).open(version)).cell.image).toBe('pinned')
    expect(asked).toEqual(['nodejs22.x', 'b'.repeat(64)])
    expect(workloads().runtimeVersionHash(version)).toBe('b'.repeat(64))
  })

  it('of an image brings its own program and no package', async () => {
    const program = { arguments: ['/entry'], workingDirectory: '/app', volumes: [] }
    const { packageType: _, runtime: __, handler: ___, ...rest } = validVersion()
    const open = await workloads({
      functionImages: { forVersion: async () => ({ reference: 'own', program }), forget: () => {} },
    }).open({ ...rest, packageType: 'Image' })
    expect(open.cell.image).toBe('own')
    expect(open.workload(IDENTITY)).toMatchObject({ codePath: undefined, program })
  })

  it('that fails gives back the package, even one that was opened after the failure', async () => {
    let opened = () => {}
    let released = 0
    const failing = workloads({
      packages: {
        folder: () =>
          new Promise((resolve) => {
            opened = () => resolve({ path: '/code', release: async () => void released++ })
          }),
      },
      runtimeImages: { ...SOURCES.runtimeImages, imageFor: () => Promise.reject(new Error('no image')) },
    }).open(validVersion())
    await expect(failing).rejects.toThrow('no image')
    expect(released).toBe(0)
    opened()
    await until(() => released === 1)
  })
})
