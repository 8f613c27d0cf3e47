/** Answers compared with errors that were recorded from AWS (test/fixtures/observed-*.json). */
import { expect } from 'vitest'
import type { RawAnswer } from './control-plane-host.ts'

export interface RecordedError {
  readonly code: string
  readonly httpStatus: number
  /** Name of the text's member; more may follow after a space. */
  readonly messageKey: string
  readonly type: string | null
  readonly message: string
}

/** What has to stand in the place of `message`, where Hearth differs on purpose. */
export interface DifferentText {
  readonly key: string
  readonly text: RegExp
}

/** @param is what the placeholders of the recording stand for */
export function expectRecorded(
  { status, headers, body }: RawAnswer,
  row: RecordedError,
  is: Readonly<Record<string, string>> = {},
  different?: DifferentText,
): void {
  expect(status).toBe(row.httpStatus)
  expect(headers['x-amzn-errortype']).toBe(row.code)
  expect(headers['x-amzn-requestid']).toBeDefined()
  const members = JSON.parse(body) as Record<string, unknown>
  const key = different?.key ?? row.messageKey.split(' ')[0] ?? ''
  expect(Object.keys(members)).toEqual(row.type === null ? [key] : ['Type', key])
  if (row.type !== null) expect(members.Type).toBe(row.type)
  const text = String(members[key])
  if (different) expect(text).toMatch(different.text)
  else expect(withoutRuntimes(text)).toBe(withoutRuntimes(filled(row.message, is)))
}

function filled(message: string, is: Readonly<Record<string, string>>): string {
  const placeholders = Object.entries({ ...is, '<partition>': 'aws', '<region>': 'us-east-1' })
  return placeholders.reduce((text, [placeholder, value]) => text.replaceAll(placeholder, value), message)
}

/** The lists of runtimes change with AWS's calendar and are unordered. */
function withoutRuntimes(text: string): string {
  return text.replace(/\[[^[\]]*(python|ruby)[^[\]]*\]/g, '[<runtimes>]')
}
