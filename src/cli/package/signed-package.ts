/** A package with its signature, as a zip: what Hearth would unpack is unpacked, signed and packed again. */
import { lstat, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ZipFile } from 'yazl'
import { type FileKind, listPackage } from '../../code/signature/files.ts'
import { isSignatureFile } from '../../code/signature/layout.ts'
import { type Signer, signPackage } from '../../code/signature/sign.ts'
import { unpackZip } from '../../code/zip.ts'

const MODES: Readonly<Record<FileKind, number>> = { file: 0o100644, executable: 0o100755, link: 0o120777 }

/** @throws LambdaException for what is no package, Error for what cannot be signed */
export async function signedPackage(zip: Uint8Array, signer: Signer): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-sign-'))
  try {
    await unpackZip(zip, folder)
    return await pack(folder, signer)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function pack(folder: string, signer: Signer): Promise<Buffer> {
  const archive = new ZipFile()
  const now = new Date()
  // Readers of JAR files expect the manifest first.
  for (const { path, bytes } of await signPackage(folder, signer)) {
    archive.addBuffer(bytes, path, { mtime: now, mode: MODES.file })
  }
  for (const { path, kind } of await listPackage(folder)) {
    if (isSignatureFile(path)) continue
    const full = join(folder, path)
    const { mtime } = await lstat(full)
    const bytes = kind === 'link' ? Buffer.from(await readlink(full)) : await readFile(full)
    archive.addBuffer(bytes, path, { mtime, mode: MODES[kind] })
  }
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isDirectory()) continue
    const path = join(entry.parentPath, entry.name).slice(folder.length + 1)
    archive.addEmptyDirectory(path, { mtime: now })
  }
  archive.end()
  const chunks: Buffer[] = []
  for await (const chunk of archive.outputStream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
