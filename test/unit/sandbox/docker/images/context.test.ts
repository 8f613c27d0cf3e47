import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as tar from 'tar-stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BuildContext, extractFile } from '../../../../../src/sandbox/docker/images/context.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-context-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function bytes(context: BuildContext): Promise<Buffer> {
  return context.send(async (stream) => {
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks)
  })
}

async function entries(data: Buffer): Promise<Record<string, string>> {
  const extract = tar.extract()
  extract.end(data)
  const found: Record<string, string> = {}
  for await (const entry of extract) {
    const chunks: Buffer[] = []
    for await (const chunk of entry) chunks.push(chunk as Buffer)
    const { name, mode, type, linkname } = entry.header
    found[name] = type === 'symlink' ? `-> ${linkname}` : `${mode?.toString(8)} ${Buffer.concat(chunks).toString()}`
  }
  return found
}

test('has files, renamed parts of packages and filtered folders', async () => {
  const inner = await bytes(
    new BuildContext().file('package/bin/node', 'NODE', 0o755).file('package/README.md', 'words'),
  )
  await writeFile(join(folder, 'package.tgz'), gzipSync(inner))
  await mkdir(join(folder, 'tree', 'types'), { recursive: true })
  await writeFile(join(folder, 'tree', 'index.js'), 'CODE')
  await writeFile(join(folder, 'tree', 'types', 'index.d.ts'), 'TYPES')
  const context = new BuildContext()
    .file('Dockerfile', 'FROM scratch')
    .tarball(join(folder, 'package.tgz'), (name) => (name === 'package/bin/node' ? 'lang/bin/node' : undefined))
    .folder(join(folder, 'tree'), 'sdk/', (name) => name !== 'types')
  expect(await entries(await bytes(context))).toEqual({
    Dockerfile: '644 FROM scratch',
    'lang/bin/node': '755 NODE',
    'sdk/index.js': '644 CODE',
  })
})

test('is the same to the byte when made again', async () => {
  const make = (): Promise<Buffer> => bytes(new BuildContext().file('a', 'A').file('b', 'B', 0o755))
  expect((await make()).equals(await make())).toBe(true)
})

test('a package that cannot be read aborts the call that it is for, with the reason', async () => {
  const context = new BuildContext().file('a', 'A').tarball(join(folder, 'nowhere.tgz'), (name) => name)
  const sent = context.send(
    (stream, signal) =>
      new Promise<never>((_, reject) => {
        stream.resume()
        signal.addEventListener('abort', () => reject(new Error('aborted')))
      }),
  )
  await expect(sent).rejects.toThrow('ENOENT')
})

test('one file can be taken out of a tar, executable', async () => {
  await writeFile(join(folder, 'a.tar'), await bytes(new BuildContext().file('x', 'X').file('y', 'Y')))
  await extractFile(join(folder, 'a.tar'), 'y', join(folder, 'y'))
  expect(await readFile(join(folder, 'y'), 'utf8')).toBe('Y')
  expect((await stat(join(folder, 'y'))).mode & 0o777).toBe(0o755)
  await expect(extractFile(join(folder, 'a.tar'), 'z', join(folder, 'z'))).rejects.toThrow('has no file z')
})
