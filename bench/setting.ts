/** What the benchmarks share: a host of their own, the function, and the end of it all. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { answering, type HostProcess, startHostProcess } from '../test/support/host-process.ts'

/** A trivial handler for every function that is measured. */
export const HANDLER = 'exports.handler = async (event) => event'
export const RUNTIME = 'nodejs22.x'
export const IMAGE = `hearth-runtime:${RUNTIME}`

export interface Setting {
  readonly folder: string
  readonly host: HostProcess
  end(): Promise<void>
}

/** @param prepare fills the data folder before the host starts */
export async function setUp(
  env: Record<string, string> = {},
  prepare?: (data: string) => Promise<void>,
): Promise<Setting> {
  const folder = mkdtempSync(join(tmpdir(), 'hearth-bench-'))
  mkdirSync(join(folder, 'host'), { mode: 0o700 })
  await prepare?.(join(folder, 'host'))
  const host = await startHostProcess(join(folder, 'host'), { HEARTH_LOG_LEVEL: 'warn', ...env })
  return {
    folder,
    host,
    async end() {
      await host.end('SIGTERM')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The code as a folder, for containers that Hearth did not make. */
export function codeFolder(folder: string): string {
  const code = join(folder, 'code')
  mkdirSync(code, { recursive: true })
  writeFileSync(join(code, 'index.js'), HANDLER)
  return code
}

export async function startRawBridge(folder: string, sandboxes: number, memoryMb: number): Promise<HostProcess> {
  const data = join(folder, 'raw')
  mkdirSync(data, { recursive: true })
  const script = resolve(import.meta.dirname, 'raw-bridge.ts')
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', script, data, codeFolder(folder), IMAGE, String(sandboxes), String(memoryMb)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  return answering(child, () => 'the raw bridge ended before it answered')
}
