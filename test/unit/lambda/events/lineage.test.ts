import { describe, expect, it } from 'vitest'
import { messageTrace, RECURSION_ROUNDS, roundsOf, withRound } from '../../../../src/lambda/events/lineage.ts'

const key = (name: string) => ({ account: '111111111111', region: 'us-east-1', name })
const ROOT = 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0'

describe('the lineage in the trace header', () => {
  it('counts the rounds of each function and leaves the rest of the header alone', () => {
    let header = ROOT
    for (let round = 0; round < RECURSION_ROUNDS; round++) {
      expect(roundsOf(header, key('f'))).toBe(round)
      header = withRound(withRound(header, key('f')), key('g'))
    }
    expect(roundsOf(header, key('f'))).toBe(16)
    expect(roundsOf(header, key('g'))).toBe(16)
    expect(roundsOf(header, key('h'))).toBe(0)
    expect(header).toMatch(new RegExp(`^${ROOT};Lineage=1:[0-9a-f]{8}:16\\|[0-9a-f]{8}:16$`))
  })

  it('replaces the count of a new trace', () => {
    expect(withRound(`${ROOT};Lineage=1:01234567:0`, key('f'))).toMatch(/;Lineage=1:[0-9a-f]{8}:1$/)
  })

  it.each(['', 'x', '1:zz:9', '|||', `1:${'a'.repeat(9000)}:1`, '1:01234567:-5'])(
    'starts anew when a function sends %s',
    (lineage) => {
      const header = `${ROOT};Lineage=${lineage}`
      expect(roundsOf(header, key('f'))).toBe(0)
      expect(roundsOf(withRound(header, key('f')), key('f'))).toBe(1)
    },
  )

  it('stays a header of bounded length, with the function that runs always in it', () => {
    let header = ROOT
    for (let i = 0; i < 100; i++) {
      header = withRound(header, key(`f${i}`))
      expect(roundsOf(header, key(`f${i}`))).toBe(1)
    }
    expect(header.length).toBeLessThan(700)
  })

  it('is not shared by functions of one name in two regions', () => {
    expect(roundsOf(withRound(ROOT, key('f')), { ...key('f'), region: 'eu-west-1' })).toBe(0)
  })
})

describe('the trace header of a message', () => {
  it('is the one of the event, with its lineage', () => {
    const header = withRound(ROOT, key('f'))
    expect(messageTrace(header)).toBe(header)
    expect(roundsOf(messageTrace(header) ?? '', key('f'))).toBe(1)
  })

  it.each([
    [`Self=1-00;${ROOT};Extra=x y`, ROOT],
    [ROOT.toLowerCase().replace(';p', '; p'), ROOT],
    [`${ROOT};Lineage=not one`, ROOT],
    [ROOT.replace('Sampled=0', 'Sampled=?'), ROOT.replace(';Sampled=0', '')],
    [ROOT.replace('Root=1-', 'Root=2-'), undefined],
    ['', undefined],
  ])('leaves out what a service would refuse: %s', (header, expected) => {
    expect(messageTrace(header)).toBe(expected)
  })
})
