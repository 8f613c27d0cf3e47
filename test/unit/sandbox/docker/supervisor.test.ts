import { expect, test } from 'vitest'
import { Lines, parseReport } from '../../../../src/sandbox/docker/supervisor.ts'

test('a status of 139 and a segmentation fault are different reports', () => {
  expect(parseReport('exit runtime code=139 oom=0')).toEqual({
    kind: 'exit',
    exit: { process: 'runtime', code: 139, outOfMemory: false },
  })
  expect(parseReport('exit runtime signal=11 oom=0')).toEqual({
    kind: 'exit',
    exit: { process: 'runtime', signal: 11, outOfMemory: false },
  })
})

test('the out-of-memory killer is reported with the exit', () => {
  expect(parseReport('exit runtime signal=9 oom=1')).toMatchObject({ exit: { signal: 9, outOfMemory: true } })
})

test('the path of a failed launch may contain spaces', () => {
  expect(parseReport('launch runtime errno=ENOENT path=/opt/my program')).toEqual({
    kind: 'launch',
    failure: { process: 'runtime', errno: 'ENOENT', path: '/opt/my program' },
  })
})

test('memory is reported in kilobytes and known in bytes', () => {
  expect(parseReport('usage 1024')).toEqual({ kind: 'usage', bytes: 1024 * 1024 })
})

test.each(['', 'exit', 'exit runtime code=-1 oom=0', 'exit runtime code=1', 'usage x', 'stopped now', 'usage 1e9'])(
  'the line %j is no report',
  (line) => {
    expect(parseReport(line)).toBeUndefined()
  },
)

test('lines are put together from pieces, and one without an end takes bounded memory', () => {
  const lines: string[] = []
  const made = new Lines((line) => lines.push(line))
  made.write(Buffer.from('stop'))
  made.write(Buffer.from('ped\nusage 1\nus'))
  made.write(Buffer.from('age 2\n'))
  made.write(Buffer.alloc(200_000, 'x'))
  made.write(Buffer.from('\nstopped\n'))
  expect(lines).toEqual(['stopped', 'usage 1', 'usage 2', 'stopped'])
})
