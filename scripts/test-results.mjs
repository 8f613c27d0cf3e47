// Counts of a vitest run from its JSON report.
import { readFileSync } from 'node:fs'

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

export function add(one, other) {
  return { passed: one.passed + other.passed, failed: one.failed + other.failed, skipped: one.skipped + other.skipped }
}

/** The closing line of `npm test`. */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}
