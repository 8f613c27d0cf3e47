/** Stores one package after the other and prints the hash of each that is confirmed, until it is killed. For artifact.test.ts. */
import { ArtifactStore } from '../../../src/code/artifact.ts'
import { buildZip } from './build-zip.ts'

const [directory = '', round = ''] = process.argv.slice(2)
const store = new ArtifactStore({ directory, log: { warn() {}, error() {} } })
for (let number = 0; ; number++) {
  const zip = buildZip(Array.from({ length: 40 }, (_, i) => ({ name: `f${i}`, data: `${round} ${number} ${i}` })))
  const { sha256Base64 } = await store.put(zip)
  process.stdout.write(`${sha256Base64}\n`)
}
