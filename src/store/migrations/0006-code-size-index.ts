/** An index that holds what an account's stored code adds up to: each create and update asks for it, with 60,000 versions too. */
import type { Kysely, Migration } from 'kysely'

export const codeSizeIndex: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createIndex('versions_code_size')
      .on('versions')
      .columns(['account', 'region', 'code_size'])
      .execute()
  },
}
