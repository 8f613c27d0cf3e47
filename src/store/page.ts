/** Pages of lists: an opaque marker that says after which item the next page starts. */
import { LIMITS } from '../lambda/limits.ts'
import { refused } from '../lambda/refusals.ts'

export interface PageRequest {
  /** NextMarker of the page before. */
  readonly marker?: string
  /** Wanted number of items; never more than LIMITS.pageItems are given, or what the list says. */
  readonly maxItems?: number
}

export interface Page<T> {
  readonly items: T[]
  /** `undefined`: this was the last page. */
  readonly nextMarker: string | undefined
}

const MARKER_CHARACTERS_MAX = 2048

export function pageSize(request: PageRequest, most: number = LIMITS.pageItems): number {
  return Math.min(request.maxItems ?? most, most)
}

/** @throws LambdaException InvalidParameterValueException for anything that is not a NextMarker of this list. */
export function readMarker(request: PageRequest): { readonly name: string; readonly number: number } | undefined {
  if (request.marker === undefined || request.marker === '') return undefined
  try {
    if (request.marker.length > MARKER_CHARACTERS_MAX) throw new RangeError('too long')
    const [name, number] = JSON.parse(Buffer.from(request.marker, 'base64url').toString('utf8')) as unknown[]
    if (typeof name === 'string' && typeof number === 'number') return { name, number }
  } catch {
    // Falls through to the refusal: the reason does not help who made the marker up.
  }
  throw refused('The Marker is invalid. Use the NextMarker of the previous answer of the same operation.')
}

/** Cuts a list that was read with one item more than the page holds. */
export function pageOf<Row, T>(
  rows: readonly Row[],
  size: number,
  item: (row: Row) => T,
  place: (row: Row) => { readonly name: string; readonly number?: number },
): Page<T> {
  const last = rows.length > size ? rows[size - 1] : undefined
  let nextMarker: string | undefined
  if (last !== undefined) {
    const { name, number = 0 } = place(last)
    nextMarker = Buffer.from(JSON.stringify([name, number])).toString('base64url')
  }
  return { items: rows.slice(0, size).map(item), nextMarker }
}
