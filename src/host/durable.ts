/** What must not be lost: the store, keys, packages, layers and logs. All of it is in the data folder. */
import { join } from 'node:path'
import type { Logger } from 'pino'
import { PORT_BUDGET } from '../api/http/server.ts'
import { LayerFolders } from '../code/layers.ts'
import { Packages } from '../code/packages.ts'
import { SdkS3Objects } from '../code/s3-objects.ts'
import { readSignatures } from '../code/signature/read.ts'
import { readProfiles } from '../code/signature/trust.ts'
import { closeDataFolder } from '../config/data-folder.ts'
import type { Config } from '../config.ts'
import type { CodeStore } from '../control/code/code-store.ts'
import { Budget } from '../http/budget.ts'
import { Keyring } from '../keys/keyring.ts'
import { openStore } from '../store/open.ts'
import type { Store } from '../store/store.ts'
import { LogFiles } from '../telemetry/log-files.ts'
import type { Lifetime } from './lifetime.ts'

export interface Durable {
  readonly store: Store
  readonly keys: Keyring
  readonly code: Packages
  readonly layers: LayerFolders
  /** Packages as the control plane sees them. */
  readonly packaging: CodeStore
  readonly objects: SdkS3Objects
  readonly logs: LogFiles
  /** What request bodies, packages from S3 and unread answers may take of the memory. */
  readonly inFlight: Budget
}

/** @throws when the data folder cannot be had; the message says what to do. */
export async function openDurable(config: Config, log: Logger, lifetime: Lifetime): Promise<Durable> {
  const folder = (name: string) => join(config.data, name)
  const mended = await closeDataFolder(config.data)
  if (mended > 0)
    log.warn({ mended }, `Other users of this machine could read ${config.data}. The host removed their permission.`)
  const store = lifetime.opened(
    'the store',
    await openStore(folder('hearth.db'), {
      queueMaxBytes: config.queueMaxBytes,
      codeStorageMaxBytes: config.codeStorageMaxBytes,
      queueFull: ({ message, remedy }) => log.error({ remedy }, message),
      failed: (error) => log.fatal({ err: error }, error.message),
    }),
    (one) => one.close(),
  )
  const keys = new Keyring(folder('keys'))
  const permissions = config.packagePermissions
  const code = new Packages({ directory: folder('code'), keys, log, permissions })
  const layers = new LayerFolders({
    permissions,
    directory: folder('layers'),
    unpacked: (codeSha256) => code.plain.folder(codeSha256),
    log,
  })
  const inFlight = new Budget(PORT_BUDGET)
  const objects = lifetime.opened('the client of S3', new SdkS3Objects({ share: inFlight.share() }), (one) =>
    one.close(),
  )
  const logs = lifetime.opened(
    'the logs of functions',
    new LogFiles({ directory: folder('logs'), groupBytes: config.logMaxBytes, log }),
    (one) => one.close(),
  )
  return { store, keys, code, layers, packaging: packagingOf(config, code, layers), objects, logs, inFlight }
}

function packagingOf(config: Config, code: Packages, layers: LayerFolders): CodeStore {
  const profiles = readProfiles(config.signingProfiles)
  return {
    put: (zip, seal) => code.put(zip, seal),
    get: (reference) => code.get(reference),
    signatures: async (reference) => {
      const folder = await code.folder(reference)
      return readSignatures(folder.path, profiles).finally(folder.release)
    },
    prepareLayers: async (hashes) => {
      for (const hash of hashes) await code.plain.renew(hash)
      await layers.prepare(hashes)
    },
  }
}
