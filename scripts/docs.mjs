// Writes the documents that are generated from tables of the source: `node --import tsx scripts/docs.mjs`.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { compatibilityDocument } from '../src/api/compatibility-document.ts'
import { configurationDocument } from '../src/config/document.ts'
import { lifecycleDocument } from '../src/execution/lifecycle-document.ts'
import { errorsDocument } from '../src/lambda/errors-document.ts'

const documents = {
  'compatibility.md': compatibilityDocument(),
  'configuration.md': configurationDocument(),
  'errors.md': errorsDocument(),
  'lifecycle.md': lifecycleDocument(),
}

for (const [name, text] of Object.entries(documents)) {
  writeFileSync(fileURLToPath(new URL(`../docs/${name}`, import.meta.url)), text)
}
