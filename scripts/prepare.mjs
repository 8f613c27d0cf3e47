// What `npm start` and `npm test` need before anything else.
import { ensureBuild } from './build.mjs'
import { ensureDependencies } from './dependencies.mjs'
import { ensureSqlite } from './sqlite.mjs'
import { Refusal } from './steps.mjs'

/** Dependencies, database and bundle. */
export async function prepareHost() {
  const major = Number(process.versions.node.split('.')[0])
  if (major < 20) throw new Refusal(`Hearth needs Node.js 20 or later; this is ${process.versions.node}.`)
  await ensureDependencies()
  await ensureSqlite()
  await ensureBuild()
}
