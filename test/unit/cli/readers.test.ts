import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'

/** Runs a module with the command line's output in it, after whose first line nobody reads any more. */
async function withoutReader(script: string): Promise<{ code: number | null; errors: string }> {
  const child = spawn(
    process.execPath,
    [
      '--import',
      'tsx',
      '--input-type=module',
      '--eval',
      `import { goOnWithoutReader, note, print, watchReaders } from ${JSON.stringify(new URL('../../../src/cli/output.ts', import.meta.url).href)}
      watchReaders()
      ${script}`,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  child.stdout.once('data', () => child.stdout.destroy())
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, errors }
}

const PRINTING = `const timer = setInterval(() => print('line'), 5)`

it('a command that nobody reads any more ends without a word, as other programs do', async () => {
  expect(await withoutReader(PRINTING)).toEqual({ code: 141, errors: '' })
})

it('a command that does more than print goes on without its reader', async () => {
  const noticed = `process.stdout.once('error', () => setImmediate(() => { clearInterval(timer); note('still here') }))`
  expect(await withoutReader(`goOnWithoutReader(); ${PRINTING}; ${noticed}`)).toEqual({
    code: 0,
    errors: 'still here\n',
  })
})
