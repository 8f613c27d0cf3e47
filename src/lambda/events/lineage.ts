/**
 * Recursion detection: how often each function has run in one chain of requests, carried as `Lineage` in X-Amzn-Trace-Id. AWS's SDKs
 * hand the header on from inside a function. Form: `Lineage=1:HASH:COUNT|HASH:COUNT`, a hash for each function.
 */
import { createHash } from 'node:crypto'
import { functionArn } from '../arn.ts'
import type { FunctionKey } from '../function.ts'

/** Runs of one function in a chain; the next one is stopped. Source: developer guide, "approximately 16 times". */
export const RECURSION_ROUNDS = 16

/** Functions of one chain that are counted; the header must stay a header. The most often run ones stay. */
const ENTRIES_MAX = 32

const FIELD = /;?\s*lineage=([^;]*)/i
const ENTRY = /^(?:\d{1,3}:)?([0-9a-f]{8}):(\d{1,5})$/

/** How often the function has run in this chain already. */
export function roundsOf(traceHeader: string, key: FunctionKey): number {
  const entries = entriesOf(traceHeader)
  // Most headers have none: what every invocation asks must not cost a hash.
  return entries.size === 0 ? 0 : (entries.get(hashOf(key)) ?? 0)
}

/** The header for the function itself: with this run counted. */
export function withRound(traceHeader: string, key: FunctionKey): string {
  const entries = entriesOf(traceHeader)
  const hash = hashOf(key)
  entries.set(hash, Math.min((entries.get(hash) ?? 0) + 1, 99_999))
  const kept = [...entries]
    .filter(([, count]) => count > 0)
    .sort(([a, n], [b, m]) => (a === hash ? -1 : b === hash ? 1 : m - n))
    .slice(0, ENTRIES_MAX)
  return `${traceHeader.replace(FIELD, '')};Lineage=1:${kept.map(([name, count]) => `${name}:${count}`).join('|')}`
}

/** Members of a trace header that are passed on to other services, in the form in which they take them. */
const MEMBERS = {
  Root: /(?:^|;)\s*root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?=;|$)/i,
  Parent: /(?:^|;)\s*parent=([0-9a-f]{16})(?=;|$)/i,
  Sampled: /(?:^|;)\s*sampled=([01])(?=;|$)/i,
  Lineage: /(?:^|;)\s*lineage=(1:[0-9a-f:|]+)(?=;|$)/i,
}

/** The header for a message: without what a caller may have put into it besides, because a service refuses what is not well-formed. */
export function messageTrace(traceHeader: string): string | undefined {
  const members = Object.entries(MEMBERS).flatMap(([name, form]) => {
    const value = form.exec(traceHeader)?.[1]
    return value === undefined ? [] : [`${name}=${value}`]
  })
  return members[0]?.startsWith('Root=') ? members.join(';') : undefined
}

function entriesOf(traceHeader: string): Map<string, number> {
  const entries = new Map<string, number>()
  for (const part of (FIELD.exec(traceHeader)?.[1] ?? '').split('|', ENTRIES_MAX)) {
    const [, hash, count] = ENTRY.exec(part.trim()) ?? []
    if (hash !== undefined) entries.set(hash, Number(count))
  }
  return entries
}

function hashOf(key: FunctionKey): string {
  return createHash('sha256').update(functionArn(key)).digest('hex').slice(0, 8)
}
