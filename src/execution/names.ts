/** Names that users meet in logs: log streams and runtime labels. */
import { randomUUID } from 'node:crypto'
import type { FunctionVersion } from '../lambda/function.ts'

/** `YYYY/MM/DD/[<version>]<32 hex>`; a custom, shared group has the function's name before the version. */
export function logStreamName(version: FunctionVersion, nowMs: number): string {
  const day = new Date(nowMs).toISOString().slice(0, 10).replaceAll('-', '/')
  const shared = version.logging.logGroup !== `/aws/lambda/${version.name}`
  return `${day}/${shared ? version.name : ''}[${version.version}]${randomUUID().replaceAll('-', '')}`
}

/** `nodejs22.x` -> `nodejs:22`, `provided.al2023` -> `provided:al2023`, as INIT_START names runtimes. */
export function runtimeLabel(version: FunctionVersion): string {
  const match = /^([a-z]+)\.?(.*?)(?:\.x)?$/.exec(version.runtime ?? '')
  return match ? `${match[1]}:${match[2]}` : 'image'
}
