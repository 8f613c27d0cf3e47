import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeFolder } from '../../../src/disk/make-folder.ts'

describe('a folder', () => {
  let base: string
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'hearth-folder-'))
  })
  afterEach(() => rmSync(base, { recursive: true }))

  it('is made with its parents, and is there already the second time', () => {
    const path = join(base, 'a/b/c')
    makeFolder(path, 0o700)
    makeFolder(path, 0o700)
    expect(statSync(join(base, 'a')).mode & 0o777).toBe(0o700)
    expect(statSync(path).isDirectory()).toBe(true)
  })

  it.each(['/proc/hearth/data/keys', '/sys/hearth/data'])('is refused at once where none can be: %s', (path) => {
    expect(() => makeFolder(path)).toThrow(/ENOENT|EPERM|EACCES|EROFS|ENOTSUP/)
  })

  it('is refused below a file', () => {
    writeFileSync(join(base, 'file'), '')
    expect(() => makeFolder(join(base, 'file/a/b'))).toThrow(/ENOTDIR|EEXIST/)
  })
})
