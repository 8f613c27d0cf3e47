/** All images that a host needs in one tar file, for machines without a way to any registry or archive. */
import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type Dockerode from 'dockerode'
import { SandboxError } from '../../driver.ts'
import { engineError, readToEnd } from './engine.ts'

/** Left out of the published types. */
type ManyImages = Dockerode & { getImages(options: { names: string[] }): Promise<NodeJS.ReadableStream> }

/** Writes the images with their tags and labels; layers that they share are stored once. `.gz` at the end of the name: compressed. */
export async function exportImages(docker: Dockerode, tags: readonly string[], file: string): Promise<void> {
  const partial = `${file}.partial`
  try {
    const images = await (docker as ManyImages).getImages({ names: [...tags] })
    const sink = createWriteStream(partial)
    if (file.endsWith('.gz')) await pipeline(images, createGzip({ level: 5 }), sink)
    else await pipeline(images, sink)
    await rename(partial, file)
  } catch (error) {
    await rm(partial, { force: true })
    throw engineError(`Exporting the runtime images to ${file} failed`, error)
  }
}

export async function importImages(docker: Dockerode, file: string, line: (text: string) => void): Promise<void> {
  const found = await stat(file).catch(() => undefined)
  if (!found?.isFile()) {
    const remedy = 'Name a file that "hearth runtimes export" wrote on another machine.'
    throw new SandboxError('unexpected', 'ENOENT', `There is no archive of runtime images at ${file}.`, remedy)
  }
  try {
    await readToEnd(await docker.loadImage(createReadStream(file)), line)
  } catch (error) {
    throw engineError(`Importing runtime images from ${file} failed`, error)
  }
}
