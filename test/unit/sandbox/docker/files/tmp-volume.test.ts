import { expect, test } from 'vitest'
import { fileBytes, mountsBelow } from '../../../../../src/sandbox/docker/files/tmp-volume.ts'

const MIB = 1024 * 1024

test.each([512, 1024, 10_240])(
  'the file of a /tmp of %i MB has room for what the file system itself needs, and little more',
  (mb) => {
    const overhead = fileBytes(mb) - mb * MIB
    expect(overhead).toBeGreaterThan(mb * MIB * 0.017)
    expect(overhead).toBeLessThan(mb * MIB * 0.05)
  },
)

test('mount points of a folder are found, the innermost first, with escaped characters', () => {
  const mountinfo = [
    '22 27 0:21 / /proc rw,relatime - proc proc rw',
    '60 27 7:0 / /data/tmp-volumes/a/0 rw,nosuid,nodev - ext4 /dev/loop0 rw',
    '61 60 7:1 / /data/tmp-volumes/a/0/x rw - ext4 /dev/loop1 rw',
    '62 27 7:2 / /data/tmp-volumes/ab/0 rw - ext4 /dev/loop2 rw',
    '63 27 7:3 / /data/tmp-volumes/a/my\\040volume rw - ext4 /dev/loop3 rw',
    '',
  ].join('\n')
  expect(mountsBelow(mountinfo, '/data/tmp-volumes/a')).toEqual([
    '/data/tmp-volumes/a/my volume',
    '/data/tmp-volumes/a/0/x',
    '/data/tmp-volumes/a/0',
  ])
})
