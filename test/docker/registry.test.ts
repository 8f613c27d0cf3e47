/** The benchmark of a large registry in its small form: ratios to a host with few functions in the same run, and the host's memory. */
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

it('500 functions make no call slower than 1.5 times and the host no larger than 300 MB', {
  timeout: 600_000,
}, async () => {
  const script = resolve(import.meta.dirname, '../../bench/registry.ts')
  // It ends with status 1, which rejects with its output, when a limit is exceeded.
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, '500', '3'])
  expect(stdout.match(/^\| .* ms \| .* ms \| [\d.]+ \|$/gm)).toHaveLength(4)
  const [, now] = /versions: (\d+) MB/.exec(stdout) ?? []
  expect(Number(now)).toBeLessThanOrEqual(300)
})
