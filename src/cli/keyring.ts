/** The keyring of a data folder: administered with the rights of that folder, whether a host runs on it or not. */
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { Keyring } from '../keys/keyring.ts'

export function openKeyring({ data }: Config): Keyring {
  return new Keyring(join(data, 'keys'))
}
