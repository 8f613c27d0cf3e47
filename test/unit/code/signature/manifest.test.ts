import { describe, expect, it } from 'vitest'
import { Attributes, parseManifest, sectionBytes } from '../../../../src/code/signature/manifest.ts'

const parse = (text: string) => parseManifest(Buffer.from(text))

describe('a manifest', () => {
  it('has a main section and one for each file, whatever ends its lines', () => {
    for (const end of ['\r\n', '\n', '\r']) {
      const { main, sections } = parse(
        ['A: 1', 'b: 2', '', '', 'Name: x/y', ' z.txt', 'SHA-256-Digest: q', '', 'Name: w', 'C: 3'].join(end),
      )
      expect([...main]).toEqual([
        ['A', '1'],
        ['b', '2'],
      ])
      expect(main.get('B')).toBe('2')
      expect([...sections.keys()]).toEqual(['x/yz.txt', 'w'])
      expect(sections.get('w')?.get('c')).toBe('3')
    }
  })

  it('is written so that it is read again, with names of any length and script', () => {
    const name = `${'日本語/'.repeat(40)}a: b\u00a0c.txt`
    const bytes = sectionBytes(new Attributes([['Name', name]]))
    for (const line of bytes.toString('latin1').split('\r\n')) expect(line.length).toBeLessThanOrEqual(70)
    const { sections } = parseManifest(Buffer.concat([Buffer.from('M: 1\r\n\r\n'), bytes]))
    expect([...sections.keys()]).toEqual([name])
  })

  it('may be empty, or only line ends', () => {
    for (const text of ['', '\n', '\r\n\r\n']) expect([...parse(text).main]).toEqual([])
  })

  it('is refused when it can be read in two ways', () => {
    for (const [text, reason] of [
      ['A: 1\n\nName: x\nB: 1\n\nName: x\nB: 2\n', 'names "x" twice'],
      ['A: 1\na: 2\n', 'has a twice'],
      ['A: 1\n\nB: 2\n', 'no Name'],
      ['A 1\n', 'not "Name: value"'],
      ['A:1\n', 'not "Name: value"'],
      [' A: 1\n', 'not there'],
      ['A: 1\n\n B: 1\n', 'not there'],
      ['A: \u0000\n\n\u0000: 1', 'not "Name: value"'],
    ] as const) {
      expect(() => parse(text), text).toThrow(reason)
    }
    expect(() => parseManifest(Buffer.from([0x41, 0x3a, 0x20, 0xff]))).toThrow('not UTF-8')
  })
})
