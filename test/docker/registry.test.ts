/** The benchmark of a large registry in its small form. What makes calls slower with more functions fails `test/unit/store/plans.test.ts`. */
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

it('a host with 500 functions of five versions answers every call, and is no larger than 300 MB', {
  timeout: 600_000,
}, async () => {
  const script = resolve(import.meta.dirname, '../../bench/registry.ts')
  const measured = promisify(execFile)(process.execPath, ['--import', 'tsx', script, '500', '3'])
  // Ratios of times are for people: it ends with status 1 when one is over the limit, which a busy machine can do.
  const { stdout } = await measured.catch((error: { stdout: string; stderr: string }) => error)
  process.stdout.write(stdout)
  expect(stdout.match(/^\| .* ms \| .* ms \| [\d.]+ \|$/gm)).toHaveLength(4)
  const [, now] = /versions: (\d+) MB/.exec(stdout) ?? []
  expect(Number(now)).toBeLessThanOrEqual(300)
})
