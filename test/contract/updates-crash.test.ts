/** A host that is killed in the middle of updates: nothing that was answered is lost, and nothing is there by half. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { FunctionVersion } from '../../src/lambda/function.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'

const KEY = { account: '111111111111', region: 'us-east-1', name: 'f' }
const ROUNDS = 4

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-updates-'))
  path = join(folder, 'hearth.db')
})
afterEach(() => rmSync(folder, { recursive: true }))

/** What is known to be written: the function's description, its last version, and where its alias points. */
interface Known {
  readonly description: number
  readonly version: number
  readonly alias: number
}

/** Runs the child until it is killed at a random moment. Gives the last step that it said was answered. */
async function killedAtRandom(): Promise<Known | undefined> {
  const script = fileURLToPath(new URL('store-update-child.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = new Promise<NodeJS.Signals | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)))
  const steps = Math.floor(Math.random() * 15)
  let seen = 0
  let last: Known | undefined
  for await (const line of createInterface({ input: child.stdout })) {
    const [description = 0, version = 0] = line.split(' ').map(Number)
    if (line !== 'ready') last = { description, version, alias: version }
    // Between two steps lie several transactions: a part of a step later is in the middle of any of them.
    if (seen++ === steps) setTimeout(() => child.kill('SIGKILL'), Math.random() * 8)
  }
  expect(await exited).toBe('SIGKILL')
  return last
}

async function allVersions(store: Store): Promise<FunctionVersion[]> {
  const found: FunctionVersion[] = []
  let marker: string | undefined
  do {
    const page = await store.versions.list(KEY, { marker, maxItems: undefined })
    found.push(...page.items.filter(({ version }) => version !== '$LATEST'))
    marker = page.nextMarker
  } while (marker !== undefined)
  return found
}

it('a killed host keeps every answered update, version and alias, and can go on', { timeout: 120_000 }, async () => {
  let before: Known = { description: 0, version: 1, alias: 1 }
  for (let round = 0; round < ROUNDS; round++) {
    const answered = (await killedAtRandom()) ?? before
    const store = await openStore(path)
    try {
      const latest = (await store.functions.find(KEY))?.latest
      // The step after the last answered one may have come as far as it could.
      expect([answered.description, answered.description + 1]).toContain(Number(latest?.description))
      const versions = await allVersions(store)
      expect(versions.map(({ version }) => version)).toEqual(versions.map((_, i) => String(i + 1)))
      expect([answered.version, answered.version + 1]).toContain(versions.length)
      // A step that was cut off between its update and its version leaves a description that no version has.
      const descriptions = versions.map(({ description }) => Number(description))
      expect(descriptions).toEqual([...new Set(descriptions)].sort((a, b) => a - b))
      expect(descriptions.at(-1)).toBeLessThanOrEqual(Number(latest?.description))
      const alias = await store.aliases.find(KEY, 'live')
      expect(Number(alias?.functionVersion)).toBeGreaterThanOrEqual(answered.alias)
      expect(Number(alias?.functionVersion)).toBeLessThanOrEqual(versions.length)
      expect(await store.versions.find(KEY, alias?.functionVersion ?? '')).toBeDefined()
      const unfinished = await store.functions.unfinished()
      for (const one of unfinished) {
        expect(one.lastUpdateStatus).toBe('InProgress')
        expect(await store.functions.completeUpdate(KEY, one.deploymentId, { ok: true })).toBe(true)
      }
      const settled = (await store.functions.find(KEY))?.latest
      expect(settled).toMatchObject({ state: 'Active', lastUpdateStatus: 'Successful' })
      before = {
        description: Number(settled?.description),
        version: versions.length,
        alias: Number(alias?.functionVersion),
      }
    } finally {
      await store.close()
    }
  }
  expect(before.version).toBeGreaterThan(1)
})
