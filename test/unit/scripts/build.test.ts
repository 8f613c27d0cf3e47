import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const BUILD = fileURLToPath(new URL('../../../scripts/build.mjs', import.meta.url))

/** Builds in a process that goes on, as a start does, and prints the commands of its children. */
const SCRIPT = `
  const { readdirSync, readFileSync } = await import('node:fs')
  const { build } = await import(${JSON.stringify(BUILD)})
  await build()
  const children = () => readdirSync('/proc').filter((pid) => /^[0-9]+$/.test(pid)).flatMap((pid) => {
    try {
      const stat = readFileSync('/proc/' + pid + '/stat', 'utf8')
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return Number(parent) === process.pid && state !== 'Z' ? [readFileSync('/proc/' + pid + '/cmdline', 'utf8')] : []
    } catch { return [] }
  })
  for (let tries = 0; tries < 100 && children().length > 0; tries++) await new Promise((resolve) => setTimeout(resolve, 20))
  console.log(JSON.stringify(children()))
`

it('leaves no process of the bundler beside the host', () => {
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', SCRIPT], { encoding: 'utf8' })
  expect(JSON.parse(out)).toEqual([])
})
