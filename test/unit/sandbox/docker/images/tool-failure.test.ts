import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { failedStep, ToolFailure } from '../../../../../src/sandbox/docker/images/tool-failure.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-failure-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const PIP = [
  "\u001b[33mWARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError'\u001b[0m",
  '\u001b[31mERROR: Could not find a version that satisfies the requirement awslambdaric==4.2.2\u001b[0m',
  '\u001b[31mERROR: No matching distribution found for awslambdaric==4.2.2\u001b[0m',
  '',
].join('\r\n')

describe('a program that fails', () => {
  test('is told in one sentence with its own last error, and all that it printed lies in a file', async () => {
    const failure = new ToolFailure('its program ended with status 1', '1', PIP, 'Check pip.')
    const error = (await failedStep('Python 3.13 packages', join(folder, 'failed'), failure)) as ToolFailure
    const file = join(folder, 'failed', 'Python-3.13-packages.log')
    expect(error).toMatchObject({ name: 'SandboxError', code: '1', remedy: 'Check pip.' })
    expect(error.message).toBe(
      'the step "Python 3.13 packages" failed: its program ended with status 1: ' +
        `ERROR: No matching distribution found for awslambdaric==4.2.2 (all that it printed: ${file})`,
    )
    const printed = await readFile(file, 'utf8')
    expect(printed.split('\n')).toHaveLength(4)
    expect(printed).toContain('\nERROR: Could not find a version')
    expect(printed).not.toContain('\u001b')
  })

  test.each([
    ['E: Unable to locate package x\nThe command returned a non-zero code: 100', 'E: Unable to locate package x'],
    ['npm error code E404\nnpm error 404 Not Found\n\n', 'npm error 404 Not Found'],
    ['main.c:3:1: error: expected x\ncompilation terminated.', 'main.c:3:1: error: expected x'],
    ['one\ntwo\n', 'two'],
    ['', 'it printed nothing'],
  ])('shows its own last error: %j', (output, shown) => {
    expect(new ToolFailure('it', '1', output, '').message).toBe(`it: ${shown}`)
  })

  test('fills neither the sentence nor the disk, one file for each step', async () => {
    const endless = new ToolFailure('it', '1', 'x'.repeat(5_000_000), '')
    expect(endless.message.length).toBeLessThan(400)
    for (let round = 0; round < 2; round++) await failedStep('../image a/b:c', folder, endless)
    expect((await stat(join(folder, '..-image-a-b-c.log'))).size).toBe(256 * 1024)
  })

  test('passes another error on', async () => {
    const other = new Error('other')
    expect(await failedStep('x', folder, other)).toBe(other)
  })
})
