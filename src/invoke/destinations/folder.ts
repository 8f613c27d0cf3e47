/** A folder as destination: one file for each event, complete and on disk when it appears under its name. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../../disk/durable-file.ts'
import { makeFolder } from '../../disk/make-folder.ts'
import type { ClaimedDelivery } from '../../store/delivery-store.ts'
import type { DestinationTarget } from './target.ts'

/** A second delivery of the same event replaces the first: the name is made of what does not change. */
export function folderTarget(folder: string): DestinationTarget {
  return {
    async send(delivery) {
      makeFolder(folder)
      const path = join(folder, fileName(delivery))
      const unfinished = `${path}.part`
      // A host that was killed may have left one.
      await rm(unfinished, { force: true })
      await replaceFile(path, unfinished, contentOf(delivery), { sync: true, mode: 0o640 })
    },
  }
}

/** Sorted by name they are in the order of their ends. */
function fileName({ createdAt, detail, function: { name }, id }: ClaimedDelivery): string {
  const time = new Date(createdAt).toISOString().replaceAll(':', '.')
  return `${time}-${name}-${detail.kind}-${detail.requestId}-${id}.json`
}

/** A destination's record is the file; a dead letter, whose body stays as it was, comes with its attributes around it. */
function contentOf({ detail, body }: ClaimedDelivery): Uint8Array | string {
  if (detail.attributes === undefined) return body
  return JSON.stringify({ attributes: detail.attributes, body: Buffer.from(body).toString('utf8') })
}
