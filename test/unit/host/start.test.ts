import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loadConfig } from '../../../src/config.ts'
import { startHost } from '../../../src/main.ts'

let folder: string
let other: Server

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-start-'))
  other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
})
afterEach(() => {
  other.close()
  rmSync(folder, { recursive: true })
})

it('makes no data folder when its port is taken', async () => {
  const { config, sources } = loadConfig({ flags: {}, env: {}, cwd: folder })
  const data = join(folder, 'data')
  const { port } = other.address() as AddressInfo
  const starting = startHost({ ...config, data, port }, { log: pino({ level: 'silent' }), sources })
  await expect(starting).rejects.toThrow(`Port ${port} of 127.0.0.1 is in use.`)
  expect(existsSync(data)).toBe(false)
})
