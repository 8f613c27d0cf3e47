// npm test: the same preparation as npm start, every runtime image, the clients that tests use; then all checks and all tests.
//   npm test                                everything
//   npm test -- --project unit              one project, with only what it needs
//   npm test -- test/docker/failures.test.ts    some files
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureEngine } from './engine.mjs'
import { prepareHost } from './prepare.mjs'
import { command, printDurations, Refusal, ROOT, run, say, step } from './steps.mjs'
import { add, closingLine, readResults, readTimes, timesTable } from './test-results.mjs'
import { ON_ENGINE, PROJECTS, select } from './test-selection.mjs'
import { ensureTestTools, toolEnvironment } from './test-tools.mjs'

const RESULTS = join(ROOT, '.hearth/test-results')

await command(async () => {
  const { projects, unknown, rest } = select(process.argv.slice(2))
  if (unknown.length > 0)
    throw new Refusal(`There is no test project ${unknown.join(', ')}; there are: ${PROJECTS.join(', ')}.`)
  const everything = projects.length === PROJECTS.length && rest.length === 0

  await prepareHost()
  const onEngine = projects.filter((name) => ON_ENGINE.includes(name))
  if (onEngine.length > 0) {
    await ensureEngine()
    const { status } = await step('Building the runtime images', () =>
      run('node', ['bin/hearth.mjs', 'runtimes', 'build']),
    )
    if (status !== 0) throw new Refusal('The runtime images could not be built; the reason is above.')
    await ensureTestTools(onEngine)
  }

  let total = { passed: 0, failed: 0, skipped: 0 }
  if (everything) {
    for (const [text, tool, ...args] of [
      ['Checking types', 'tsc', '--noEmit'],
      ['Checking style', 'biome', 'check', '.'],
    ]) {
      const { status } = await step(text, () => run(join(ROOT, 'node_modules/.bin', tool), args, { result: true }))
      if (status !== 0) total = add(total, { passed: 0, failed: 1, skipped: 0 })
    }
  }
  // One project after the other: tests that use the engine measure limits of the whole machine.
  for (const project of projects) {
    total = add(total, await step(`Running the tests: ${project}`, () => runProject(project, rest)))
  }
  printTimes(projects)
  printDurations()
  process.stdout.write(`${closingLine(total)}\n`)
  return total.failed > 0 ? 1 : 0
})

/** What CI keeps: how long each file took, as a file and at the end of the output. */
function printTimes(projects) {
  const table = timesTable(projects.flatMap((project) => readTimes(reportOf(project), ROOT)))
  writeFileSync(join(RESULTS, 'times.txt'), table)
  say('how long each test file took (also in .hearth/test-results/times.txt):')
  process.stderr.write(table)
}

function reportOf(project) {
  return join(RESULTS, `${project}.json`)
}

async function runProject(project, args) {
  const report = reportOf(project)
  mkdirSync(RESULTS, { recursive: true })
  rmSync(report, { force: true })
  const { status } = await run(
    join(ROOT, 'node_modules/.bin/vitest'),
    [
      'run',
      '--project',
      project,
      '--passWithNoTests',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...args,
    ],
    { result: true, env: toolEnvironment() },
  )
  return readResults(report, status)
}
