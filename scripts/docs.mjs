// Writes what is generated from tables of the source, documents and the types of requests: `node --import tsx scripts/docs.mjs`.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { compatibilityDocument } from '../src/api/compatibility-document.ts'
import { doorsDocument } from '../src/api/doors-document.ts'
import { readingOperations, requestTypes } from '../src/api/model/request-types.ts'
import { OPERATIONS } from '../src/api/operations/table.ts'
import { configurationDocument } from '../src/config/document.ts'
import { lifecycleDocument } from '../src/execution/lifecycle-document.ts'
import { errorsDocument } from '../src/lambda/errors-document.ts'

const files = {
  'docs/compatibility.md': compatibilityDocument(),
  'docs/configuration.md': configurationDocument(),
  'docs/doors.md': doorsDocument(),
  'docs/errors.md': errorsDocument(),
  'docs/lifecycle.md': lifecycleDocument(),
  'src/control/requests.ts': requestTypes(readingOperations(OPERATIONS)),
}

for (const [name, text] of Object.entries(files)) {
  writeFileSync(fileURLToPath(new URL(`../${name}`, import.meta.url)), text)
}
