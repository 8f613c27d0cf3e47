/** How the text of a flag or an environment variable, or the JSON of the settings file, becomes a value. One kind of value each. */
import { z } from 'zod'

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 }

/** A whole number, also as text. */
export function wholeNumber(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`
  return z.preprocess(
    (value) => (typeof value === 'string' && /^\s*\d+\s*$/.test(value) ? Number(value) : value),
    z.number({ error: message }).int(message).min(min, message).max(max, message),
  )
}

/** Bytes: a number, or text with a unit of 1024 (`64M`, `1 GiB`). */
export function bytes(min: number) {
  const message = `must be a size of at least ${min} bytes, for example 64M or 1G`
  return z.preprocess(
    (value) => (typeof value === 'string' ? parseBytes(value) : value),
    z.number({ error: message }).int(message).min(min, message).max(Number.MAX_SAFE_INTEGER, message),
  )
}

function parseBytes(text: string): unknown {
  const match = /^\s*(\d+)\s*([KMGT]?)(?:i?B)?\s*$/i.exec(text)
  return match ? Number(match[1]) * (UNITS[(match[2] ?? '').toUpperCase()] ?? 1) : text
}

/** `on` and its like. */
export function isOn(value: unknown): boolean {
  return (
    value === true || (typeof value === 'string' && ['on', 'true', '1', 'yes'].includes(value.trim().toLowerCase()))
  )
}

function isOff(value: unknown): boolean {
  return (
    value === false || (typeof value === 'string' && ['off', 'false', '0', 'no'].includes(value.trim().toLowerCase()))
  )
}

/** `on` or `off`; `true`, `false`, `1`, `0`, `yes`, `no` are understood as well. */
export function onOff() {
  return z.preprocess(
    (value) => (isOn(value) ? true : isOff(value) ? false : value),
    z.boolean({ error: 'must be on or off' }),
  )
}

/** `invoke`, `all` or `off`. */
export function functionApi() {
  return z.preprocess(
    (value) => {
      if (isOn(value)) return 'invoke'
      if (isOff(value)) return 'off'
      return typeof value === 'string' ? value.trim().toLowerCase() : value
    },
    z.enum(['invoke', 'all', 'off'], { error: 'must be one of: invoke, all, off' }),
  )
}

export function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, { error: `must be one of: ${values.join(', ')}` })
}

export function matching(pattern: RegExp, message: string) {
  return z.preprocess(
    (value) => (typeof value === 'number' ? String(value) : value),
    z.string({ error: message }).trim().regex(pattern, message),
  )
}

/** A list of ports: `5432,9090` or `[5432, 9090]`. Duplicates are dropped. */
export function portList() {
  const message = 'must be ports from 1 to 65535, separated by commas'
  return z.preprocess(
    numbersOf,
    z
      .array(z.number({ error: message }).int(message).min(1, message).max(65_535, message), { error: message })
      .transform((ports) => [...new Set(ports)]),
  )
}

/** Whole numbers: `60,120` or `[60, 120]`. */
export function numberList(min: number, max: number, most: number) {
  const message = `must be one to ${most} whole numbers from ${min} to ${max}, separated by commas`
  return z.preprocess(
    numbersOf,
    z
      .array(z.number({ error: message }).int(message).min(min, message).max(max, message), { error: message })
      .min(1, message)
      .max(most, message),
  )
}

function numbersOf(value: unknown): unknown {
  if (typeof value === 'number') return [value]
  if (typeof value !== 'string') return value
  return splitList(value).map((part) => (/^\d+$/.test(part) ? Number(part) : part))
}

/** Texts: `a,b` or `["a", "b"]`. */
export function textList(item: RegExp, message: string) {
  return z.preprocess(
    (value) => (typeof value === 'string' ? splitList(value) : value),
    z.array(z.string({ error: message }).regex(item, message), { error: message }),
  )
}

/** Pairs: `name=value,name=value` or a JSON object. */
export function pairs(key: RegExp, value: RegExp, message: string) {
  return z.preprocess(
    (input) => (typeof input === 'string' ? parsePairs(input) : input),
    z.record(z.string().regex(key, message), z.string({ error: message }).regex(value, message), { error: message }),
  )
}

function parsePairs(text: string): unknown {
  const result: Record<string, string> = {}
  for (const part of splitList(text)) {
    const at = part.indexOf('=')
    if (at < 1) return text
    result[part.slice(0, at).trim()] = part.slice(at + 1).trim()
  }
  return result
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
