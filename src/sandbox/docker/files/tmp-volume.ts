/**
 * /tmp of a sandbox: an ext4 file system of EphemeralStorage size in a sparse file, mounted through a loop device.
 *
 * A tmpfs would count against MemorySize, a folder has no size. Making one takes about 30 ms, so a few of the default size are kept ready.
 * Each belongs to one sandbox and is never used again.
 */
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readdir, readFile, rm, rmdir, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../../../disk/make-folder.ts'
import { LIMITS } from '../../../lambda/limits.ts'
import { SandboxError } from '../../driver.ts'
import { run } from '../engine/command.ts'
import { sandboxError } from '../engine/errors.ts'
import { digest, type Identity } from '../engine/labels.ts'
import { isLeftover } from '../engine/owner.ts'

const MIB = 1024 * 1024
const SPARE_VOLUMES = 2
/** Refilling waits until the start that emptied the store has had the processors. Milliseconds. */
const REFILL_DELAY_MS = 100
const NOT_OPENED = 'not opened'
const OWNER_FILE = 'owner'
const BLOCK_BYTES = 4096
const BYTES_PER_INODE = 16_384

export interface TmpVolume {
  /** Folder to bind at /tmp. It is inside the mount: an engine that does not see the mount does not find it. */
  readonly path: string
  /** Never throws. */
  destroy(): Promise<void>
}

/** Size of the file so that at least `sizeMb` can be written: with inode tables, ext4's own reserve (2 %, at most 4,096 blocks) and bitmaps. */
export function fileBytes(sizeMb: number): number {
  const size = sizeMb * MIB
  const inodes = (size / BYTES_PER_INODE) * 256
  const reserve = Math.min(0.0205 * size, 4096 * BLOCK_BYTES)
  return Math.ceil((size + 1.03 * inodes + reserve + 2 * MIB) / MIB) * MIB
}

/** Mount points below `folder`, in the order to unmount them. `mountinfo`: text of /proc/self/mountinfo. */
export function mountsBelow(mountinfo: string, folder: string): string[] {
  return mountinfo
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .map((path) => path.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))))
    .filter((path) => path.startsWith(`${folder}/`))
    .reverse()
}

export class TmpVolumes {
  /** Why there are none; `undefined` while there are. */
  unavailable: string | undefined = NOT_OPENED
  readonly #root: string
  readonly #folder: string
  readonly #identity: Identity
  readonly #log: (message: string, fields?: object) => void
  readonly #spare: TmpVolume[] = []
  #number = 0
  #refilling: Promise<void> | undefined
  #refill: NodeJS.Timeout | undefined
  #closed = false

  constructor(dataDir: string, identity: Identity, log: (message: string, fields?: object) => void) {
    this.#root = join(dataDir, 'tmp-volumes')
    this.#folder = join(this.#root, `${digest(identity.instance, 12)}-${randomBytes(4).toString('hex')}`)
    this.#identity = identity
    this.#log = log
  }

  /** Removes what crashed hosts left, then finds out whether volumes can be made here. Throws only if the data directory is unusable. */
  async open(): Promise<void> {
    try {
      makeFolder(this.#folder, 0o711)
      await writeFile(join(this.#folder, OWNER_FILE), this.#identity.owner)
    } catch (error) {
      throw sandboxError(error, `use the data directory ${this.#root}`)
    }
    await this.#removeLeftovers()
    if (process.getuid?.() !== 0) {
      this.unavailable = 'Hearth does not run as root'
      return
    }
    this.unavailable = undefined
    try {
      this.#spare.push(await this.#make(LIMITS.ephemeralStorageMb.default))
    } catch (error) {
      this.unavailable = error instanceof Error ? error.message : String(error)
      return
    }
    this.#refillSoon()
  }

  /** `undefined` where volumes are not available. Throws SandboxError (`throttled`) when there is no room for one more. */
  async take(sizeMb: number): Promise<TmpVolume | undefined> {
    if (this.unavailable !== undefined) return undefined
    const ready = sizeMb === LIMITS.ephemeralStorageMb.default ? this.#spare.shift() : undefined
    if (sizeMb === LIMITS.ephemeralStorageMb.default) this.#refillSoon()
    return ready ?? (await this.#make(sizeMb))
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#refill)
    await this.#refilling
    await Promise.all(this.#spare.splice(0).map((volume) => volume.destroy()))
    if (this.unavailable === NOT_OPENED) return
    await removeFolder(this.#folder).catch((error) =>
      this.#log('A folder of /tmp volumes could not be removed', { folder: this.#folder, error: String(error) }),
    )
    // Only if no other host has one.
    await rmdir(this.#root).catch(() => undefined)
  }

  async #make(sizeMb: number): Promise<TmpVolume> {
    const base = join(this.#folder, String(this.#number++))
    const image = `${base}.ext4`
    try {
      const bytes = fileBytes(sizeMb)
      const disk = await statfs(this.#folder)
      if (disk.bavail * disk.bsize < bytes) {
        throw new SandboxError(
          'throttled',
          'ENOSPC',
          `Could not create a /tmp of ${sizeMb} MB: the disk of ${this.#root} has ${Math.floor((disk.bavail * disk.bsize) / MIB)} MB left.`,
          "Free space on the disk of Hearth's data directory.",
        )
      }
      const file = await open(image, 'wx', 0o600)
      await file.truncate(bytes).finally(() => file.close())
      await mkdir(base, { mode: 0o700 })
      const features = ['-O', '^has_journal,^resize_inode', '-E', 'lazy_itable_init=1,nodiscard']
      const sizes = ['-b', String(BLOCK_BYTES), '-i', String(BYTES_PER_INODE), '-I', '256', '-m', '0']
      await run('mkfs.ext4', '-q', '-F', ...features, ...sizes, image)
      await run('mount', '-t', 'ext4', '-o', 'loop,nosuid,nodev,noatime,noinit_itable', image, base)
      const path = join(base, 'tmp')
      await mkdir(path)
      // The mode of mkdir is cut by the umask.
      await chmod(path, 0o1777)
      return { path, destroy: () => this.#unmake(base, image) }
    } catch (error) {
      await this.#unmake(base, image)
      throw sandboxError(error, `make a /tmp of ${sizeMb} MB`)
    }
  }

  async #unmake(base: string, image: string): Promise<void> {
    try {
      // Deleted first, so that unmounting has no dirty pages to write to the disk.
      await run('rm', '-rf', '--one-file-system', join(base, 'tmp')).catch(() => undefined)
      await unmount(base)
      await rm(image, { force: true })
      await rm(base, { force: true, recursive: true })
    } catch (error) {
      this.#log('A /tmp volume could not be removed; the next start removes it', { volume: base, error: String(error) })
    }
  }

  #refillSoon(): void {
    if (this.#closed || this.#refill || this.#refilling) return
    this.#refill = setTimeout(() => {
      this.#refill = undefined
      this.#refilling = this.#fill()
        .catch((error) => this.#log('No /tmp volume could be prepared', { error: String(error) }))
        .finally(() => {
          this.#refilling = undefined
        })
    }, REFILL_DELAY_MS)
    this.#refill.unref()
  }

  async #fill(): Promise<void> {
    while (this.#spare.length < SPARE_VOLUMES && !this.#closed && this.unavailable === undefined) {
      this.#spare.push(await this.#make(LIMITS.ephemeralStorageMb.default))
    }
  }

  async #removeLeftovers(): Promise<void> {
    for (const name of await readdir(this.#root).catch(() => [])) {
      const folder = join(this.#root, name)
      if (folder === this.#folder) continue
      const owner = await readFile(join(folder, OWNER_FILE), 'utf8').catch(() => '')
      if (!isLeftover({ owner, data: this.#identity.data }, this.#identity)) continue
      await removeFolder(folder)
        .then(() => this.#log('Removed the /tmp volumes of an earlier host', { folder }))
        .catch((error) => this.#log('Leftover /tmp volumes could not be removed', { folder, error: String(error) }))
    }
  }
}

async function removeFolder(folder: string): Promise<void> {
  const mountinfo = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')
  for (const mount of mountsBelow(mountinfo, folder)) await unmount(mount)
  await rm(folder, { recursive: true, force: true })
}

/** Rejects only if it is still mounted: deleting then would delete inside it. */
async function unmount(path: string): Promise<void> {
  const mounted = async () =>
    mountsBelow(await readFile('/proc/self/mountinfo', 'utf8'), join(path, '..')).includes(path)
  if (!(await mounted().catch(() => false))) return
  await run('umount', path)
    // Something on this machine looks into it: detach it now, it ends with the last user.
    .catch(() => run('umount', '-l', path))
    .catch(async (error) => {
      if (await mounted()) throw error
    })
}
