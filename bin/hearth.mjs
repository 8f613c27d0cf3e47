#!/usr/bin/env node
// The command line from a checkout. The bundle is made on the first call and whenever the sources have changed.
import { existsSync } from 'node:fs'

const checkout = existsSync(new URL('../src/cli/main.ts', import.meta.url))
if (checkout) {
  const { prepareHost } = await import('../scripts/prepare.mjs')
  const { command } = await import('../scripts/steps.mjs')
  await command(async () => {
    await prepareHost()
    return 0
  })
  if (process.exitCode !== 0) process.exit()
}
process.setSourceMapsEnabled(true)
const { main } = await import('../dist/main.js')
process.exitCode = await main(process.argv.slice(2))
