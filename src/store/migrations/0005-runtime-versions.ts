import type { Kysely, Migration } from 'kysely'

/** Which image a version's runtime was at its last update, and whether it stays with that or with another one. */
export const runtimeVersions: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const column of ['runtime_version', 'update_runtime_on', 'pinned_runtime']) {
      await db.schema.alterTable('versions').addColumn(column, 'text').execute()
    }
  },
}
