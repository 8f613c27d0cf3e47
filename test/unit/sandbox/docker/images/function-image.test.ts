import { describe, expect, it } from 'vitest'
import { type ImageDescription, programOf } from '../../../../../src/sandbox/docker/images/function-image.ts'

const image = (changes: Partial<ImageDescription> = {}): ImageDescription => ({
  architecture: 'amd64',
  os: 'linux',
  entryPoint: ['/entry'],
  command: ['app.handler'],
  workingDirectory: '',
  environment: ['PATH=/bin'],
  volumes: [],
  sizeBytes: 100,
  ...changes,
})

describe('the program of an image', () => {
  it('is its entry point with its command, each replaced on its own', () => {
    expect(programOf(image(), undefined, 'x86_64')).toEqual({
      arguments: ['/entry', 'app.handler'],
      workingDirectory: '/',
      volumes: [],
    })
    expect(programOf(image(), { command: ['other.handler'] }, 'x86_64')).toMatchObject({
      arguments: ['/entry', 'other.handler'],
    })
    expect(programOf(image({ workingDirectory: '/app' }), { entryPoint: ['/mine', '-x'] }, 'x86_64')).toMatchObject({
      arguments: ['/mine', '-x', 'app.handler'],
      workingDirectory: '/app',
    })
    expect(programOf(image({ entryPoint: [] }), { workingDirectory: '/b' }, 'x86_64')).toMatchObject({
      arguments: ['app.handler'],
      workingDirectory: '/b',
    })
  })

  it('is none for another platform, without a program, too large, or with more variables than a kernel takes', () => {
    expect(programOf(image({ sizeBytes: 10 * 1024 ** 3 + 1 }), undefined, 'x86_64')).toMatch(/the limit is 10737418240/)
    expect(programOf(image({ architecture: 'arm64' }), undefined, 'x86_64')).toMatch(/is for linux\/arm64/)
    expect(programOf(image(), undefined, 'arm64')).toMatch(/runs on linux\/arm64/)
    expect(programOf(image({ os: 'windows' }), undefined, 'x86_64')).toMatch(/is for windows\/amd64/)
    expect(programOf(image({ entryPoint: [], command: [] }), undefined, 'x86_64')).toMatch(/neither ENTRYPOINT nor CMD/)
    expect(programOf(image({ entryPoint: [''] }), undefined, 'x86_64')).toMatch(/neither ENTRYPOINT nor CMD/)
    expect(programOf(image({ environment: [`A=${'ü'.repeat(40_000)}`] }), undefined, 'x86_64')).toMatch(/80002 bytes/)
  })

  it('keeps declared volumes, but for /tmp, and refuses those that are in the way of the sandbox', () => {
    expect(programOf(image({ volumes: ['/data/', '/tmp', '/a/../b'] }), undefined, 'x86_64')).toMatchObject({
      volumes: ['/data', '/b'],
    })
    for (const path of ['/', '/var', '/var/hearth/x', '/data/../proc', '/sys/fs', '/dev', '/etc', '/..']) {
      expect(programOf(image({ volumes: [path] }), undefined, 'x86_64'), path).toMatch(/as a volume/)
    }
    const many = Array.from({ length: 17 }, (_, i) => `/v${i}`)
    expect(programOf(image({ volumes: many }), undefined, 'x86_64')).toMatch(/17 volumes/)
  })
})
