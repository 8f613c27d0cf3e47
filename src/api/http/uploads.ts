/** Request bodies of the control plane, each counted for as long as it is worked on. */
import type { Context } from 'hono'
import { readJson } from './body.ts'

export class Uploads {
  /** Reads the body as JSON and does what is to be done with it. */
  async run<T>(c: Context, operation: string, work: (json: unknown) => Promise<T>): Promise<T> {
    const { json, release } = await readJson(c, operation)
    try {
      return await work(json)
    } finally {
      release()
    }
  }
}
