// Counts of a vitest run from its JSON report.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

/** A run that wrote no report counts as one failure, and so does a file that could not be loaded. */
export function readResults(path, status) {
  let report
  try {
    report = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }
  }
  const passed = report.numPassedTests ?? 0
  const skipped = (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0)
  const broken = (report.testResults ?? []).filter(
    (file) => file.status === 'failed' && !(file.assertionResults ?? []).some((test) => test.status === 'failed'),
  ).length
  const failed = (report.numFailedTests ?? 0) + broken
  // An error outside every test (an unhandled rejection) fails the run without failing a test.
  return { passed, failed: failed === 0 && status !== 0 ? 1 : failed, skipped }
}

/** Seconds that each test file of a vitest run took, from its JSON report; none where there is no report. */
export function readTimes(path, root) {
  let report
  try {
    report = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return []
  }
  return (report.testResults ?? []).map(({ name, startTime, endTime, assertionResults = [] }) => ({
    file: relative(root, name),
    seconds: Math.max(0, endTime - startTime) / 1000,
    tests: assertionResults.length,
  }))
}

/** A table of text, the slowest file first; files of less than a tenth of a second share a line. */
export function timesTable(times) {
  const slow = times.filter(({ seconds }) => seconds >= 0.1).sort((one, other) => other.seconds - one.seconds)
  const quick = times.length - slow.length
  const rows = slow.map(
    ({ file, seconds, tests }) => `${seconds.toFixed(1).padStart(9)}s ${String(tests).padStart(5)} tests  ${file}`,
  )
  if (quick > 0) rows.push(`     each under 0.1 s: ${quick} files`)
  return `${rows.join('\n')}\n`
}

export function add(one, other) {
  return { passed: one.passed + other.passed, failed: one.failed + other.failed, skipped: one.skipped + other.skipped }
}

/** The closing line of `npm test`. */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}
