// npm start: everything that a bare machine lacks, then the host in the foreground, in this very process so that signals reach it.
import { ensureEngine } from './engine.mjs'
import { prepareHost } from './prepare.mjs'
import { command } from './steps.mjs'

await command(async () => {
  const args = process.argv.slice(2)
  const help = args.includes('--help') || args.includes('-h')
  await prepareHost()
  if (!help) await ensureEngine()
  process.setSourceMapsEnabled(true)
  const { main } = await import('../dist/main.js')
  return main(['start', ...(args.includes('--example') ? [] : ['--example', 'hello']), ...args])
})
