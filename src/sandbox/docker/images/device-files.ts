/**
 * Device files in images. The engine opens some devices of the machine to every container, the system console among them, and only the rights of
 * the file in `/dev` keep a function from it. An image can bring a file of its own for the same device, with rights for everybody.
 */
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type Dockerode from 'dockerode'
import * as tar from 'tar-stream'
import { bounded } from '../engine/errors.ts'
import { engineError } from './engine.ts'

/** Character devices that give nothing away and keep nothing: null, zero, full, random, urandom, tty, ptmx. */
const HARMLESS = new Set(['1:3', '1:5', '1:7', '1:8', '1:9', '5:0', '5:2'])

/** The largest image, from a slow disk. */
const LIMIT_MS = 15 * 60_000

/** What is looked at of an entry of a tar. */
export interface Entry {
  readonly name: string
  readonly type?: tar.Header['type']
  readonly linkname?: string | null
  readonly devmajor?: number | null
  readonly devminor?: number | null
}

export interface Reading {
  /** Is told the name of each file in /opt/extensions, a few at the most. */
  readonly extension?: (name: string) => void
  readonly limitMs?: number
}

/** External extensions of one image that are told. */
const MOST_EXTENSIONS = 10

/** Reads an image without running anything of it. @returns the sentence that says why functions cannot have it; `undefined`: they can */
export async function refusedDevice(
  docker: Dockerode,
  image: string,
  { extension = () => {}, limitMs = LIMIT_MS }: Reading = {},
): Promise<string | undefined> {
  try {
    const container = await docker.createContainer({ Image: image, Cmd: ['none'], Labels: { 'hearth.job': 'read' } })
    try {
      return await bounded(limitMs, 'read the image', async (signal) =>
        firstRefused((await container.export()) as Readable, signal, extension),
      )
    } finally {
      await container.remove({ force: true, v: true }).catch(() => {})
    }
  } catch (error) {
    throw engineError(`Looking for device files in the image ${image}`, error)
  }
}

async function firstRefused(
  image: Readable,
  signal: AbortSignal,
  extension: (name: string) => void,
): Promise<string | undefined> {
  let extensions = 0
  const entries = tar.extract()
  const read = pipeline(image, entries, { signal })
  // Its errors end the loop, too; leaving the loop early is none.
  read.catch(() => {})
  const devices = new Devices()
  for await (const entry of entries) {
    const refusal = devices.refusal(entry.header)
    if (refusal !== undefined) return refusal
    const [, name] = /^opt\/extensions\/([^/]+)$/.exec(plain(entry.header.name)) ?? []
    if (name !== undefined && entry.header.type === 'file' && extensions++ < MOST_EXTENSIONS) extension(name)
    entry.resume()
  }
  return undefined
}

/** Takes the entries of an image in their order. */
export class Devices {
  /** Below `/dev`, where the sandbox has its own: nobody sees them, unless a later entry is the same file by another name. */
  readonly #hidden = new Map<string, string>()

  /** The sentence about an entry that is refused. */
  refusal(entry: Entry): string | undefined {
    const path = plain(entry.name)
    const device = entry.type === 'link' ? this.#hidden.get(plain(entry.linkname ?? '')) : deviceOf(entry)
    if (device === undefined) return undefined
    if (path.startsWith('dev/')) {
      this.#hidden.set(path, device)
      return undefined
    }
    return `The image contains the device file /${path} (${device}), which a function cannot have. Build the image without it.`
  }
}

function deviceOf({ type, devmajor, devminor }: Entry): string | undefined {
  const [major, minor] = [devmajor ?? 0, devminor ?? 0]
  if (type === 'block-device') return `block device ${major}:${minor}`
  if (type !== 'character-device' || HARMLESS.has(`${major}:${minor}`)) return undefined
  // A whiteout of overlay file systems.
  return major === 0 && minor === 0 ? undefined : `character device ${major}:${minor}`
}

function plain(name: string): string {
  return name.replace(/^(\.?\/)+/, '')
}
