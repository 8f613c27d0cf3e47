import { describe, expect, test } from 'vitest'
import { Demultiplexer, MarkerFilter } from '../../../../src/sandbox/docker/output.ts'

const NONCE = '0123456789abcdef0123456789abcdef'
const mark = (nonce: string) => `\x1ehearth-mark ${nonce}\n`

function frame(stream: number, text: string): Buffer {
  const header = Buffer.alloc(8)
  header[0] = stream
  header.writeUInt32BE(Buffer.byteLength(text), 4)
  return Buffer.concat([header, Buffer.from(text)])
}

function filter() {
  const seen: string[] = []
  const events: string[] = []
  const made = new MarkerFilter((chunk) => {
    seen.push(chunk.toString())
  })
  return {
    filter: made,
    events,
    text: () => seen.join(''),
    expectMark: (nonce = NONCE) => made.expect(nonce, () => events.push(`${nonce} after ${seen.join('').length}`)),
  }
}

describe('frames of the engine', () => {
  const bytes = Buffer.concat([frame(1, 'one'), frame(2, 'exit'), frame(1, ''), frame(1, 'two'), frame(3, 'unknown')])

  test.each([1, 2, 3, 7, 8, 9, 1000])('are taken apart when they arrive in pieces of %i bytes', (size) => {
    let stdout = ''
    let stderr = ''
    const demultiplexer = new Demultiplexer(
      (chunk) => {
        stdout += chunk.toString()
      },
      (chunk) => {
        stderr += chunk.toString()
      },
    )
    for (let at = 0; at < bytes.length; at += size) demultiplexer.write(bytes.subarray(at, at + size))
    expect(stdout).toBe('onetwo')
    expect(stderr).toBe('exit')
  })
})

describe('markers', () => {
  const text = `before\x1e hearth${mark(NONCE)}after ${mark('f'.repeat(32))}`

  test.each([1, 2, 5, 13, 45, 46, 47, 1000])('are removed and reported in order, in pieces of %i bytes', (size) => {
    const { filter: made, events, text: seen, expectMark } = filter()
    expectMark()
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; at += size) made.write(bytes.subarray(at, at + size))
    expect(events).toEqual([`${NONCE} after ${'before\x1e hearth'.length}`])
    made.end()
    expect(seen()).toBe(`before\x1e hearthafter ${mark('f'.repeat(32))}`)
  })

  test('that nobody announced are output of the function', () => {
    const { filter: made, text: seen } = filter()
    made.write(Buffer.from(mark(NONCE)))
    expect(seen()).toBe(mark(NONCE))
  })

  test('several within one piece are all found', () => {
    const { filter: made, events, text: seen, expectMark } = filter()
    expectMark('a'.repeat(32))
    expectMark('b'.repeat(32))
    made.write(Buffer.from(`1${mark('a'.repeat(32))}2${mark('b'.repeat(32))}3`))
    expect(seen()).toBe('123')
    expect(events).toEqual([`${'a'.repeat(32)} after 1`, `${'b'.repeat(32)} after 2`])
    expect(made.pending).toBe(0)
  })

  test('when the output ends, what was held back is output and everybody stops waiting', () => {
    const { filter: made, events, text: seen, expectMark } = filter()
    expectMark()
    made.write(Buffer.from('x\x1ehearth-ma'))
    expect(seen()).toBe('x')
    made.end()
    expect(seen()).toBe('x\x1ehearth-ma')
    expect(events).toHaveLength(1)
  })

  test('output passes as it is, without a copy, while no marker is expected', () => {
    const chunks: Buffer[] = []
    const made = new MarkerFilter((chunk) => chunks.push(chunk))
    const chunk = Buffer.from('hello \x1ehearth')
    made.write(chunk)
    expect(chunks[0]).toBe(chunk)
  })
})
