import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { closeDataFolder } from '../../../src/config/data-folder.ts'
import { replaceFile } from '../../../src/disk/durable-file.ts'
import { openStore } from '../../../src/store/open.ts'
import { LogFiles } from '../../../src/telemetry/log-files.ts'

let parent: string
let data: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'hearth-data-'))
  data = join(parent, 'data')
})
afterEach(() => rmSync(parent, { recursive: true }))

const modeOf = (path: string) => (statSync(join(data, path)).mode & 0o777).toString(8)

it('is closed where an older version left it open, with what is in it, but for what sandboxes mount', async () => {
  for (const folder of ['code/zips', 'code/unpacked/f', 'logs/group', 'layers/l']) {
    mkdirSync(join(data, folder), { recursive: true, mode: 0o755 })
  }
  const own = ['code/zips/a.zip', 'logs/group/s.jsonl', 'hearth.db']
  const mounted = ['code/unpacked/f/index.mjs', 'layers/l/file']
  for (const file of [...own, ...mounted]) {
    writeFileSync(join(data, file), '')
    chmodSync(join(data, file), 0o644)
  }
  const elsewhere = join(parent, 'elsewhere')
  writeFileSync(elsewhere, '')
  chmodSync(elsewhere, 0o644)
  symlinkSync(elsewhere, join(data, 'logs/link'))
  chmodSync(data, 0o755)

  expect(await closeDataFolder(data)).toBeGreaterThan(own.length)
  expect(['.', 'code/zips', 'logs', 'logs/group'].map(modeOf)).toEqual(['700', '700', '700', '700'])
  expect(own.map(modeOf)).toEqual(['600', '600', '600'])
  expect(mounted.map(modeOf)).toEqual(['644', '644'])
  expect((statSync(elsewhere).mode & 0o777).toString(8)).toBe('644')
  // It is said once.
  expect(await closeDataFolder(data)).toBe(0)
})

it('is made for the user of the host alone, and gets files that nobody else reads', async () => {
  const store = await openStore(join(data, 'hearth.db'), { queueMaxBytes: 1_000_000 })
  const logs = new LogFiles({ directory: join(data, 'logs'), log: { warn: () => {} } })
  const name = { account: '000000000000', region: 'us-east-1', group: '/aws/lambda/f', stream: 's' }
  logs.append(name, [{ timestamp: 1, message: 'hello' }])
  await logs.flush()
  await replaceFile(join(data, 'whole'), join(data, 'half'), 'text', { sync: false })
  expect(modeOf('.')).toBe('700')
  const files = readdirSync(data, { recursive: true, encoding: 'utf8' })
  expect(files.filter((file) => file.endsWith('.jsonl'))).toHaveLength(1)
  expect(files).toContain('hearth.db')
  for (const file of files) expect(`${file} ${modeOf(file)}`).toMatch(/ (600|700)$/)
  await logs.close()
  await store.close()
})
