import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newFolder, WholeFolders } from '../../../src/code/whole-folders.ts'

let work: string
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'hearth-folders-'))
})
afterEach(() => rmSync(work, { recursive: true }))

async function opened(): Promise<WholeFolders> {
  const folders = new WholeFolders(work, 'made')
  await folders.prepare()
  return folders
}

async function fill(folder: string): Promise<{ entries: number; bytes: number }> {
  writeFileSync(join(folder, 'file'), 'x')
  return { entries: 1, bytes: 1 }
}

describe('a folder that is made', () => {
  it('is found with what it has, and its id is known, until it is removed', async () => {
    const folders = await opened()
    expect(await folders.make('a', fill)).toEqual({ entries: 1, bytes: 1 })
    expect(await folders.find('a')).toMatchObject({ entries: 1, bytes: 1 })
    expect([await folders.ids(), readdirSync(folders.path('a'))]).toEqual([new Set(['a']), ['file']])
    expect(await folders.madeAt('a')).toBeGreaterThan(0)
    await folders.remove('a')
    expect([await folders.find('a'), await folders.ids(), await folders.madeAt('a')]).toEqual([
      undefined,
      new Set(),
      undefined,
    ])
    await folders.remove('a')
    expect(readdirSync(join(work, 'temporary'))).toEqual([])
  })

  it('is not there, and the one before still is, when filling it fails', async () => {
    const folders = await opened()
    await folders.make('a', fill)
    const failing = folders.make('a', async (folder) => {
      await fill(folder)
      throw new Error('no more disk')
    })
    await expect(failing).rejects.toThrow('no more disk')
    expect(await folders.find('a')).toMatchObject({ entries: 1 })
    expect(readdirSync(join(work, 'temporary'))).toEqual([])
  })

  it('stays for whoever has it mounted when another one takes its place, until the next start', async () => {
    const folders = await opened()
    await folders.make('a', fill)
    const { ino } = statSync(folders.path('a'))
    await folders.make('a', fill)
    const [before = ''] = readdirSync(join(work, 'temporary'))
    expect(statSync(join(work, 'temporary', before)).ino).toBe(ino)
    await opened()
    expect(readdirSync(join(work, 'temporary'))).toEqual([])
  })

  it('without its marker is none, but its id is known so that it can be removed', async () => {
    const folders = await opened()
    mkdirSync(folders.path('half'))
    expect([await folders.find('half'), await folders.ids()]).toEqual([undefined, new Set(['half'])])
    await folders.remove('half')
    expect(existsSync(folders.path('half'))).toBe(false)
  })
})

it('a new folder can be entered by everybody whatever the umask is', async () => {
  const before = process.umask(0o077)
  try {
    await newFolder(join(work, 'new'), async () => {})
  } finally {
    process.umask(before)
  }
  expect(statSync(join(work, 'new')).mode & 0o7777).toBe(0o755)
})
