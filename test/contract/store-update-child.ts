/**
 * Updates, publishes and routes one function as fast as it can, and prints the number of each step that was answered, until it is killed:
 * `<description> <version>`.
 */
import { dirname, join } from 'node:path'
import { createControlPlane } from '../../src/control/control-plane.ts'
import { Keyring } from '../../src/keys/keyring.ts'
import { openStore } from '../../src/store/open.ts'
import { EventBus } from '../../src/telemetry/events.ts'
import { KnownImages, MemoryCodeStore, NO_S3, ReadyImages, ROOM } from '../conformance/control-plane-host.ts'

const [path = ''] = process.argv.slice(2)
const store = await openStore(path)
const control = createControlPlane({
  store,
  code: new MemoryCodeStore(),
  images: new ReadyImages(),
  keys: new Keyring(join(dirname(path), 'keys')),
  room: ROOM,
  revokedSignatures: new Set(),
  bus: new EventBus(),
  objects: NO_S3,
  functionImages: new KnownImages(),
  clock: Date.now,
  settings: { accountConcurrency: 1000, unreservedMinimum: 100, architecture: 'x86_64' },
  log: { info: () => {}, warn: () => {}, error: () => {} },
})
await control.resume()
await control.settled()

const key = { account: '111111111111', region: 'us-east-1', name: 'f' }
const stored = await store.functions.find(key)
if (stored === undefined) {
  const code = { zipFile: Buffer.from('PK') }
  const role = 'arn:aws:iam::111111111111:role/r'
  const settings = { runtime: 'python3.12', handler: 'a.b', role, code, description: '0', publish: true }
  await control.functions.create(key, undefined, settings)
  await control.settled()
}
if (!(await store.aliases.find(key, 'live'))) {
  await control.aliases.create(key, undefined, { name: 'live', functionVersion: '1' })
}
process.stdout.write('ready\n')
for (let i = Number(stored?.latest.description ?? 0) + 1; ; i++) {
  await control.functions.updateConfiguration(key, undefined, { description: String(i) })
  await control.settled()
  const { version } = await control.versions.publish(key, undefined, {})
  await control.aliases.update(key, 'live', { functionVersion: version })
  process.stdout.write(`${i} ${version}\n`)
}
