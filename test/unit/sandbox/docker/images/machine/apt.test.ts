import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { installPackage } from '../../../../../../src/sandbox/docker/images/machine/apt.ts'

/** apt's own words when another process holds the lock of its lists. */
const LOCKED = 'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 4711 (apt-get)'

let folder: string
let path: string | undefined
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-apt-'))
  path = process.env.PATH
  process.env.PATH = `${folder}:${path}`
})
afterEach(async () => {
  process.env.PATH = path
  await rm(folder, { recursive: true, force: true })
})

/** An apt-get that writes down how it was called and then runs the given script. */
async function fakeApt(script: string): Promise<void> {
  const file = join(folder, 'apt-get')
  await writeFile(file, `#!/bin/sh\ncd ${folder}\necho "$@" >> calls\n${script}\n`)
  await chmod(file, 0o755)
}

async function calls(): Promise<string[]> {
  return (await readFile(join(folder, 'calls'), 'utf8')).trim().split('\n')
}

const lines: string[] = []
const options = { progress: (line: string) => lines.push(line), remedy: 'Install it.', waitMs: 60_000, pauseMs: 1 }

describe('a Debian package', () => {
  beforeEach(() => lines.splice(0))

  test('is installed once when three preparations ask for it at the same time', async () => {
    await fakeApt(`mkdir lock || { echo '${LOCKED}' >&2; exit 100; }; sleep 0.1; rmdir lock`)
    await Promise.all([1, 2, 3].map(() => installPackage('mmdebstrap', options)))
    const called = await calls()
    expect(called.map((line) => line.replace(/^-o \S+ /, ''))).toEqual([
      'update',
      'install -y --no-install-recommends mmdebstrap',
    ])
    expect(called[0]).toContain('DPkg::Lock::Timeout=60')
  })

  test('waits for another apt, and says so once for each step', async () => {
    await fakeApt(`[ $(wc -l < calls) -ge 4 ] || { echo '${LOCKED}' >&2; exit 100; }`)
    await installPackage('mmdebstrap', options)
    expect(await calls()).toHaveLength(5)
    expect(lines.filter((line) => line.includes('another apt runs'))).toEqual([
      'another apt runs on this machine: Hearth waits for it, at most 60 s',
    ])
  })

  test('is given up when the other apt does not end', async () => {
    await fakeApt(`echo '${LOCKED}' >&2; exit 100`)
    const failed = installPackage('mmdebstrap', { ...options, waitMs: 50 })
    await expect(failed).rejects.toMatchObject({ message: expect.stringContaining(LOCKED), remedy: 'Install it.' })
  })

  test('fails at once for another reason, and is tried again by who asks next', async () => {
    await fakeApt('echo "E: Unable to locate package" >&2; exit 100')
    await expect(installPackage('mmdebstrap', options)).rejects.toThrow('Unable to locate package')
    expect(await calls()).toHaveLength(1)
    await fakeApt('exit 0')
    await installPackage('mmdebstrap', options)
    expect(await calls()).toHaveLength(3)
  })
})
