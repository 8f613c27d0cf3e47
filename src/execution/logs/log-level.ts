/** Which lines of a function's own output ApplicationLogLevel keeps (LogFormat JSON; reference: execution-model.md 5.2). */
import type { ApplicationLogLevel } from '../../lambda/function.ts'

const RANK: Readonly<Record<string, number>> = {
  TRACE: 0,
  DEBUG: 1,
  INFO: 2,
  WARN: 3,
  // Names that logging libraries use for two of AWS's levels.
  WARNING: 3,
  ERROR: 4,
  FATAL: 5,
  CRITICAL: 5,
}

/**
 * Runtime clients filter what goes through their loggers; this is for everything else that is JSON. A line that is no JSON object, or lacks
 * one of `level` and `timestamp`, or whose level nobody knows, is kept.
 */
export function keepsLine(line: string, least: ApplicationLogLevel): boolean {
  // Most lines of a talkative function end here, unparsed.
  if (!line.startsWith('{') || !line.includes('"level"') || !line.includes('"timestamp"')) return true
  let record: { readonly level?: unknown; readonly timestamp?: unknown }
  try {
    record = JSON.parse(line) as typeof record
  } catch {
    return true
  }
  const { level, timestamp } = record
  if (typeof level !== 'string' || typeof timestamp !== 'string' || Number.isNaN(Date.parse(timestamp))) return true
  const rank = RANK[level.toUpperCase()]
  return rank === undefined || rank >= (RANK[least] ?? 0)
}
