import type { Kysely, Migration } from 'kysely'

/** Which encrypted packages are in use, without reading 60,000 configurations. */
export const sealedPackages: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.alterTable('versions').addColumn('sealed_package', 'text').execute()
  },
}
