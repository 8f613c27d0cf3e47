import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ZipFile } from 'yazl'
import { crc32, crc32InJavaScript } from '../../../src/code/crc32.ts'
import { unpackZip } from '../../../src/code/zip.ts'
import { LambdaException } from '../../../src/lambda/errors.ts'
import { LIMITS } from '../../../src/lambda/limits.ts'
import { buildZip, DIRECTORY, type EntrySpec, FILE, LINK } from './build-zip.ts'

let parent: string
let folder: string
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'hearth-zip-'))
  folder = join(parent, 'package')
  await mkdir(folder)
})
afterEach(() => rm(parent, { recursive: true, force: true }))

const text = (...path: string[]) => readFile(join(folder, ...path), 'utf8')
const mode = async (...path: string[]) => (await lstat(join(folder, ...path))).mode & 0o7777

async function refusal(zip: Uint8Array): Promise<LambdaException> {
  const error = await unpackZip(zip, folder).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(LambdaException)
  // Whatever a zip says, nothing is made outside its folder.
  expect(await readdir(parent)).toEqual(['package'])
  return error as LambdaException
}

async function expectCorrupt(zip: Uint8Array, cause?: RegExp): Promise<void> {
  const error = await refusal(zip)
  expect([error.name, error.message]).toEqual([
    'InvalidParameterValueException',
    'Could not unzip uploaded file. Please check your file, then try to upload again.',
  ])
  if (cause !== undefined) expect(String((error.detail.cause as Error).message)).toMatch(cause)
}

describe('a good package', () => {
  it('is unpacked with its folders, contents and times', async () => {
    const unpacked = await unpackZip(
      buildZip([
        { name: 'index.js', data: 'exports.handler = 1' },
        { name: 'lib/', mode: DIRECTORY | 0o700 },
        { name: 'lib/deep/er/a.txt', data: 'a', method: 0 },
        { name: './lib/./b.txt', data: '' },
      ]),
      folder,
    )
    expect(unpacked).toEqual({ entries: 6, bytes: 20, unreadable: ['lib'] })
    expect(await text('index.js')).toBe('exports.handler = 1')
    expect(await text('lib', 'deep', 'er', 'a.txt')).toBe('a')
    expect(await text('lib', 'b.txt')).toBe('')
    expect((await stat(join(folder, 'index.js'))).mtime.toISOString()).toBe('2024-05-06T07:08:10.000Z')
  })

  it('made by an ordinary zip tool is unpacked', async () => {
    const zip = new ZipFile()
    zip.addBuffer(Buffer.from('#!/bin/sh\n'), 'bootstrap', { mode: 0o100755 })
    zip.addBuffer(Buffer.from('x'.repeat(10_000)), 'größe/data.bin', { mode: 0o100644, compress: false })
    zip.addEmptyDirectory('empty')
    zip.end()
    const parts: Buffer[] = []
    for await (const part of zip.outputStream) parts.push(part as Buffer)
    await unpackZip(Buffer.concat(parts), folder)
    expect(await mode('bootstrap')).toBe(0o755)
    expect((await text('größe', 'data.bin')).length).toBe(10_000)
    expect(await readdir(join(folder, 'empty'))).toEqual([])
  })

  it('keeps executable bits, is readable for everybody, and loses setuid, setgid, sticky and foreign write permission', async () => {
    const modes: [number, number][] = [
      [0o755, 0o755],
      [0o644, 0o644],
      [0o600, 0o644],
      [0o700, 0o744],
      [0o777, 0o755],
      [0o000, 0o644],
      [0o6755, 0o755],
      [0o1777, 0o755],
      [0o4644, 0o644],
    ]
    await unpackZip(buildZip(modes.map(([given]) => ({ name: `f${given.toString(8)}`, mode: FILE | given }))), folder)
    for (const [given, expected] of modes) expect(await mode(`f${given.toString(8)}`)).toBe(expected)
  })

  it('has folders that everybody may enter, whatever the zip and the umask say', async () => {
    const before = process.umask(0o077)
    try {
      await unpackZip(
        buildZip([
          { name: 'a/', mode: DIRECTORY },
          { name: 'b/c', mode: FILE | 0o755 },
        ]),
        folder,
      )
    } finally {
      process.umask(before)
    }
    expect([await mode('.'), await mode('a'), await mode('b'), await mode('b', 'c')]).toEqual([
      0o755, 0o755, 0o755, 0o755,
    ])
  })

  it('made on Windows has no executable files, and its backslashes are folders', async () => {
    await unpackZip(
      buildZip([
        { name: 'bootstrap', host: 0, externalAttributes: 0x20, data: '#!/bin/sh' },
        { name: 'lib\\a.dll', host: 10, externalAttributes: (0o100755 << 16) >>> 0 },
      ]),
      folder,
    )
    expect(await mode('bootstrap')).toBe(0o644)
    expect(await mode('lib', 'a.dll')).toBe(0o644)
  })

  it('made on Unix may have a backslash in a name', async () => {
    await unpackZip(buildZip([{ name: 'a\\b' }]), folder)
    expect(await readdir(folder)).toEqual(['a\\b'])
  })

  it('with two entries for one file has the later one, as `unzip -o` leaves it', async () => {
    const unpacked = await unpackZip(
      buildZip([
        { name: 'a', data: 'first' },
        { name: './a', data: 'second', mode: FILE | 0o755 },
        { name: 'd/' },
        { name: 'd/' },
      ]),
      folder,
    )
    expect(await text('a')).toBe('second')
    expect(await mode('a')).toBe(0o755)
    expect(unpacked).toEqual({ entries: 2, bytes: 6 })
  })

  it('may have a comment, and one that looks like the end of a zip is refused rather than guessed', async () => {
    await unpackZip(buildZip([{ name: 'a' }], { comment: 'made by hand' }), folder)
    await expectCorrupt(buildZip([{ name: 'a' }], { comment: `PK\x05\x06${'\0'.repeat(18)}xx` }))
  })

  it('may have large files', async () => {
    const data = Buffer.alloc(9 * 1024 * 1024, 'hearth')
    await unpackZip(buildZip([{ name: 'large', data }]), folder)
    expect(Buffer.compare(await readFile(join(folder, 'large')), data)).toBe(0)
  })
})

describe('exact permissions', () => {
  const entries: EntrySpec[] = [
    { name: 'm.py', data: 'x', mode: FILE | 0o660 },
    { name: 'none', data: 'x', mode: 0 },
    { name: 'run', data: 'x', mode: FILE | 0o6775 },
    { name: 'private/', mode: DIRECTORY | 0o700 },
    { name: 'private/a', data: 'x', mode: FILE | 0o644 },
    { name: 'implied/a', data: 'x', mode: FILE | 0o644 },
    { name: 'windows', data: 'x', host: 0 },
  ]
  const modes = async () => {
    const found = (await readdir(folder, { recursive: true })).sort()
    return Promise.all(found.map(async (name) => [name, ((await lstat(join(folder, name))).mode & 0o7777).toString(8)]))
  }

  it('are those of the zip, without what nobody may do', async () => {
    const { unreadable } = await unpackZip(buildZip(entries), folder, 'exact')
    expect(await modes()).toEqual([
      ['implied', '755'],
      ['implied/a', '644'],
      ['m.py', '640'],
      ['none', '600'],
      ['private', '700'],
      ['private/a', '644'],
      ['run', '755'],
      ['windows', '644'],
    ])
    expect([...(unreadable ?? [])].sort()).toEqual(['m.py', 'none', 'private'])
  })

  it('are not asked for unless it is said: then everybody may read, and what could not be read on AWS is told', async () => {
    const { unreadable } = await unpackZip(buildZip(entries), folder)
    expect((await modes()).map(([, mode]) => mode)).toEqual(['755', '644', '644', '644', '755', '644', '755', '644'])
    expect(unreadable).toHaveLength(3)
  })
})

describe('links', () => {
  const link = (name: string, target: string): EntrySpec => ({ name, data: target, mode: LINK | 0o777 })

  it('inside the package are kept', async () => {
    await unpackZip(
      buildZip([
        link('node_modules/.bin/tool', '../tool/cli.js'),
        { name: 'node_modules/tool/cli.js', data: 'x' },
        link('self', '.'),
        link('dangling', 'not/there'),
        link('a/up', '..'),
        link('circle1', 'circle2'),
        link('circle2', 'circle1'),
        link('a/through', 'up/node_modules/tool/cli.js'),
      ]),
      folder,
    )
    expect(await readlink(join(folder, 'node_modules/.bin/tool'))).toBe('../tool/cli.js')
    expect(await text('node_modules', '.bin', 'tool')).toBe('x')
    expect(await text('a', 'through')).toBe('x')
  })

  it.each([
    ['an absolute path', '/opt/nodejs/node_modules'],
    ['above the package', '../../etc'],
    ['a device of this machine', '/dev/zero'],
  ])('to %s are kept as they are: they mean a path of the sandbox', async (_title, target) => {
    const made = await unpackZip(buildZip([link('l', target), link('a/b/l', target), { name: 'a/x' }]), folder)
    expect(await readlink(join(folder, 'l'))).toBe(target)
    expect(await readlink(join(folder, 'a/b/l'))).toBe(target)
    expect(made).toEqual({ entries: 5, bytes: 0 })
  })

  it('have the very bytes of the package as their target', async () => {
    const target = Buffer.from([0x61, 0xff, 0xfe])
    await unpackZip(buildZip([{ name: 'l', data: target, mode: LINK | 0o777 }]), folder)
    expect(await readlink(join(folder, 'l'), 'buffer')).toEqual(target)
  })

  it.each([
    ['', /impossible target/],
    ['x'.repeat(5000), /impossible target/],
    ['a\0b', /contains a NUL/],
  ])('to %j are refused', async (target, cause) => {
    await expectCorrupt(buildZip([link('l', target)]), cause)
  })

  it('are never written through', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'hearth-outside-'))
    try {
      for (const target of ['.', '..', outside]) {
        const through = [link('d', target), { name: 'd/file', data: 'x' }]
        await expectCorrupt(buildZip(through), /lies below d, which is no folder/)
        await expectCorrupt(buildZip(through.toReversed()), /is a folder and a file/)
      }
      await writeFile(join(outside, 'file'), 'before')
      const replaced = [link('l', join(outside, 'file')), { name: 'l', data: 'after' }]
      await unpackZip(buildZip(replaced), folder)
      expect(await text('l')).toBe('after')
      expect(await readFile(join(outside, 'file'), 'utf8')).toBe('before')
    } finally {
      await rm(outside, { recursive: true })
    }
  })
})

describe('a hostile name', () => {
  it.each([
    ['../x', /leads out/],
    ['a/../../x', /leads out/],
    ['a/..', /leads out/],
    ['..', /leads out/],
    ['/etc/passwd', /absolute/],
    ['C:/windows', /absolute/],
    ['a\0b', /NUL/],
    ['', /empty/],
    [`${'x'.repeat(256)}`, /too long/],
    [`${'abc/'.repeat(1000)}x`, /too long/],
    [`${'a/'.repeat(101)}x`, /too deep/],
    ['.', /names no file/],
  ])('%j is refused', async (name, cause) => {
    await expectCorrupt(buildZip([{ name: 'good.js', data: 'x' }, { name }]), cause)
    expect(await readdir(folder)).toEqual([])
  })

  it('with backslashes from Windows is refused like one with slashes', async () => {
    await expectCorrupt(buildZip([{ name: '..\\x', host: 0 }]), /leads out/)
    await expectCorrupt(buildZip([{ name: 'C:\\x', host: 0 }]), /absolute/)
  })

  it('that claims to be UTF-8 and is not is refused', async () => {
    await expectCorrupt(buildZip([{ name: Buffer.from([0x61, 0xff, 0xfe]) }]), /not valid UTF-8/)
  })

  it('without the UTF-8 flag is read as code page 437', async () => {
    await unpackZip(buildZip([{ name: Buffer.from([0x81]), flags: 0 }]), folder)
    expect(await readdir(folder)).toEqual(['ü'])
  })
})

describe('a hostile kind', () => {
  it.each([
    ['a character device', 0o020000],
    ['a block device', 0o060000],
    ['a pipe', 0o010000],
    ['a socket', 0o140000],
    ['an unknown type', 0o150000],
  ])('%s is refused', async (_title, type) => {
    await expectCorrupt(buildZip([{ name: 'x', mode: type | 0o666 }]), /neither a file, a folder nor a link/)
  })

  it.each<[string, EntrySpec[]]>([
    ['a folder after the file', [{ name: 'a', data: 'x' }, { name: 'a/' }]],
    ['a file after the folder', [{ name: 'a/' }, { name: 'a', data: 'x' }]],
    ['a file below a file', [{ name: 'a', data: 'x' }, { name: 'a/b' }]],
    ['a file where others lie below', [{ name: 'a/b' }, { name: 'a', data: 'x' }]],
    ['a folder with content', [{ name: 'a/', data: 'x' }]],
  ])('%s is refused', async (_title, entries) => {
    await expectCorrupt(buildZip(entries))
  })
})

describe('a lying zip', () => {
  it.each<[string, EntrySpec, RegExp]>([
    ['with a wrong CRC', { name: 'a', data: 'x', crc: 1 }, /wrong CRC/],
    ['with a wrong CRC of a stored file', { name: 'a', data: 'x', crc: 1, method: 0 }, /wrong CRC/],
    ['with a wrong CRC of a large file', { name: 'a', data: Buffer.alloc(5_000_000), crc: 1 }, /wrong CRC/],
    ['that announces more than there is', { name: 'a', data: 'abc', size: 4 }, /another size/],
    ['that announces less than there is', { name: 'a', data: 'abc', size: 2 }, /./],
    [
      'that announces less than a large file',
      { name: 'a', data: Buffer.alloc(9_000_000), size: 5_000_000 },
      /another size/,
    ],
    ['whose compressed data is cut', { name: 'a', data: 'abcdefgh'.repeat(100), compressedSize: 5 }, /./],
    ['whose data would lie beyond the end', { name: 'a', data: 'x', compressedSize: 100_000 }, /overflows/],
    ['whose local name is another', { name: 'a', localName: 'b' }, /contradicts/],
    ['whose local method is another', { name: 'a', data: 'x', localMethod: 0 }, /contradicts/],
    ['whose entry is nowhere', { name: 'a', offset: 7 }, /invalid local file header/],
    ['that is encrypted', { name: 'a', data: 'x', flags: 0x801 }, /encrypted/],
    ['that is strongly encrypted', { name: 'a', data: 'x', flags: 0x841 }, /encryption/],
    ['with another compression', { name: 'a', data: 'x', method: 12 }, /compression method 12/],
  ])('%s is refused', async (_title, entry, cause) => {
    await expectCorrupt(buildZip([entry]), cause)
  })

  it('whose directory has fewer entries than announced is refused', async () => {
    await expectCorrupt(buildZip([{ name: 'a' }], { count: 2 }))
  })

  it('whose directory is elsewhere is refused', async () => {
    await expectCorrupt(buildZip([{ name: 'a' }], { directoryOffset: 3 }))
    await expectCorrupt(buildZip([{ name: 'a' }], { directoryOffset: 1_000_000 }))
  })

  it.each(['x', 'not a zip at all, but long enough to hold the end record', 'PK\x03\x04'])(
    'that is none (%j) is refused',
    async (bytes) => {
      await expectCorrupt(Buffer.from(bytes))
    },
  )
})

describe('limits', () => {
  it('refuse a zip without a byte or an entry', async () => {
    for (const zip of [Buffer.alloc(0), buildZip([])]) {
      const error = await refusal(zip)
      expect([error.name, error.status, error.message]).toEqual([
        'InvalidParameterValueException',
        400,
        'Uploaded file must be a non-empty zip',
      ])
    }
  })

  const tooLarge = ['InvalidParameterValueException', 'Unzipped size must be smaller than 262144000 bytes']

  it('may be larger than an upload, as one from S3, but not than what they unpack to', async () => {
    const size = LIMITS.zipBytes + 1
    const large = buildZip([{ name: 'weights.bin', data: Buffer.alloc(size), method: 0 }])
    expect(await unpackZip(large, folder)).toMatchObject({ bytes: size })
    const error = await refusal(Buffer.alloc(LIMITS.unzippedBytes + 1))
    expect([error.name, error.message]).toEqual(tooLarge)
  })

  it('refuse a bomb that tells its size, without inflating it', async () => {
    const one = await refusal(buildZip([{ name: 'a', data: 'x', size: LIMITS.unzippedBytes + 1 }]))
    expect([one.name, one.message]).toEqual(tooLarge)
    const entries = Array.from({ length: 300 }, (_, i) => ({ name: `${i}`, data: 'x', size: 1024 * 1024 }))
    const many = await refusal(buildZip(entries))
    expect([many.name, many.message]).toEqual(tooLarge)
    expect(await readdir(folder)).toEqual([])
  })

  it('refuse a bomb that hides its size, after the size that it announced', async () => {
    await expectCorrupt(buildZip([{ name: 'a', data: Buffer.alloc(50_000_000), size: 10 }]))
  })

  it('refuse entries that all have the same data, as soon as their sizes are too large together', async () => {
    const data = Buffer.alloc(1_000_000)
    const overlapping = Array.from({ length: 300 }, (_, i) => ({
      name: 'same',
      data: i === 0 ? data : '',
      offset: 0,
      size: 1_000_000,
    }))
    const error = await refusal(buildZip(overlapping))
    expect([error.name, error.message]).toEqual(tooLarge)
  })

  it('refuse more folders and files than 200,000, named or implied', async () => {
    const deep = 'a/'.repeat(98)
    const error = await refusal(
      buildZip(Array.from({ length: 2100 }, (_, i) => ({ name: `${i}/${deep}x`, method: 0 }))),
    )
    expect([error.name, error.message]).toEqual([
      'InvalidParameterValueException',
      'The uploaded file must have at most 200000 entries',
    ])
  })
})

describe('the checksum', () => {
  it('is the same with and without the native one', () => {
    const bytes = Buffer.from('123456789')
    expect(crc32(bytes)).toBe(0xcbf43926)
    expect(crc32InJavaScript(bytes)).toBe(0xcbf43926)
    expect(crc32InJavaScript(bytes.subarray(4), crc32InJavaScript(bytes.subarray(0, 4)))).toBe(0xcbf43926)
  })
})
