import { expect, it } from 'vitest'
import { Budget, type BudgetRules, type Share, type TransferOptions } from '../../../src/http/budget.ts'

/** A budget whose time passes when the test says so. */
function setUp(rules: Partial<BudgetRules> = {}) {
  let now = 0
  const budget = new Budget({ bytes: 1000, lent: 1000, leastRate: 10, crowdedRate: 100, clock: () => now, ...rules })
  const events: string[] = []
  const open = (name: string, share: Share = budget.share(), options: Partial<TransferOptions> = {}) =>
    share.open({
      size: 1000,
      cut: (reason) => events.push(`${name} ${reason}`),
      resume: () => events.push(`${name} goes on`),
      ...options,
    })
  /** Time passes in the steps in which the timer would look. */
  const pass = (ms: number, meanwhile: () => void = () => {}) => {
    for (const end = now + ms; now < end; ) {
      now += 250
      meanwhile()
      budget.check()
    }
  }
  return { budget, events, open, pass }
}

it('counts what has come, and what was given back no more', () => {
  const { budget, open } = setUp()
  const one = open('one')
  expect(one.take(600)).toBe(true)
  expect(open('other').take(400)).toBe(true)
  expect(budget.bytes).toBe(1000)
  one.close()
  one.close()
  expect(budget.bytes).toBe(400)
})

it('lends to who finds no room all that it still needs, and the others wait until it is given back', () => {
  const { budget, events, open } = setUp()
  const [first, second, third] = [open('first'), open('second'), open('third')]
  expect(first.take(900)).toBe(true)
  expect(second.take(100)).toBe(true)
  expect(second.take(500)).toBe(true)
  expect(first.take(100)).toBe(true)
  expect(third.take(100)).toBe(false)
  expect(second.take(400)).toBe(true)
  expect(budget.bytes).toBe(2000)
  second.complete()
  // It is still worked on.
  expect(events).toEqual([])
  second.close()
  expect(events).toEqual(['third goes on'])
})

it('lends first to who needs least', () => {
  const { events, open } = setUp()
  const working = open('working')
  working.take(1000)
  const borrower = open('borrower')
  borrower.take(10)
  const large = open('large')
  const small = open('small', undefined, { size: 300 })
  const smaller = open('smaller', undefined, { size: 200 })
  for (const one of [large, small, smaller]) expect(one.take(10)).toBe(false)
  borrower.close()
  expect(events).toEqual(['smaller goes on', 'small goes on'])
})

it('holds no more than its bytes and what it lends, or one body that is larger', () => {
  const { budget, open } = setUp()
  const transfers = Array.from({ length: 50 }, (_, i) => open(String(i), undefined, { size: 400 }))
  for (let round = 0; round < 40; round++) {
    // A transfer that was told to wait is not read.
    for (const transfer of transfers) if (transfer.asked === 0 && transfer.bytes < 400) transfer.take(10)
  }
  expect(budget.bytes).toBeGreaterThan(1000)
  expect(budget.bytes).toBeLessThanOrEqual(2000)
  for (const transfer of transfers) transfer.close()
  expect(budget.bytes).toBe(0)
  const huge = open('huge', undefined, { size: 5000 })
  expect(huge.take(1500)).toBe(true)
  expect(huge.take(3500)).toBe(true)
  huge.close()
  expect(budget.bytes).toBe(0)
})

it('ends a body that comes too slowly on the average, whatever comes every now and then', () => {
  const { events, open, pass } = setUp()
  const drip = open('drip')
  const steady = open('steady')
  pass(30_000, () => {
    drip.take(1)
    steady.take(5)
  })
  expect(events).toEqual(['drip slow'])
  const { events: none, open: anew, pass: time } = setUp()
  const deadline = anew('until its deadline', undefined, { leastRate: 0, totalMs: Number.POSITIVE_INFINITY })
  deadline.take(1)
  time(2_000_000)
  expect(none).toEqual([])
})

it('ends what takes longer than it may', () => {
  const { events, open, pass } = setUp({ bytes: 1e9 })
  const long = open('long')
  pass(600_250, () => long.take(1000))
  expect(events).toEqual(['long late'])
})

it('ends what holds room without moving while others wait for it, not those who move', () => {
  const { budget, events, open, pass } = setUp({ lent: 0 })
  const hostile = budget.share()
  for (let i = 0; i < 7; i++) open(`half-sent ${i}`, hostile).take(100)
  const steady = open('steady')
  pass(2000, () => steady.take(30))
  expect(events).toEqual([])
  open('borrower').take(100)
  expect(open('client').take(50)).toBe(true)
  expect(open('another client').take(50)).toBe(false)
  pass(250)
  expect(events).toEqual(['half-sent 0 crowded', 'another client goes on'])
})

it('begins with those of whoever holds most', () => {
  const { budget, events, open, pass } = setUp({ lent: 0 })
  const [many, few] = [budget.share(), budget.share()]
  open('one of few', few).take(200)
  for (let i = 0; i < 8; i++) open(`one of many ${i}`, many).take(100)
  pass(2000)
  open('borrower').take(10)
  open('client').take(10)
  pass(250)
  expect(events).toEqual(['one of many 0 crowded', 'client goes on'])
})

it('finds out soon who of many that were told to wait would not have gone on', () => {
  const { budget, events, open, pass } = setUp()
  // In lock-step, so that all of them wait and none can be blamed.
  const hostile = Array.from({ length: 100 }, (_, i) => open(`half-sent ${i}`))
  for (let round = 0; round < 2; round++) for (const one of hostile) one.take(10)
  const client = open('client', undefined, { resume: () => events.push('client goes on') })
  while (client.bytes < 1000) {
    if (client.asked === 0) client.take(100)
    else pass(250)
    expect(events.length).toBeLessThan(200)
  }
  expect(budget.bytes).toBeLessThanOrEqual(2000)
  expect(events.filter((event) => event.endsWith('full'))).toEqual([])
})

it('does not blame a body for the time in which it waited', () => {
  const { events, open, pass } = setUp({ waitMs: 60_000 })
  const working = open('working')
  working.take(1000)
  working.complete()
  const borrower = open('borrower')
  const client = open('client')
  borrower.take(500)
  expect(client.take(300)).toBe(false)
  pass(40_000, () => borrower.take(100))
  expect(events).toEqual([])
  working.close()
  expect(events).toEqual(['client goes on'])
  pass(10_000)
  expect(events).toEqual(['client goes on'])
})

it('waits for room no longer than it may', () => {
  const { budget, events, open, pass } = setUp()
  const working = open('working')
  working.take(1000)
  working.complete()
  const borrower = open('borrower')
  borrower.take(500)
  const client = open('client')
  client.take(100)
  pass(30_250, () => borrower.take(100))
  expect(events).toEqual(['client full'])
  working.close()
  expect(budget.bytes).toBe(borrower.bytes)
})

it('bounds what one peer holds, and the others do not wait for it', () => {
  const { budget, events, open, pass } = setUp()
  const sandbox = budget.share(100, 0)
  const [first, second, third] = [open('first', sandbox), open('second', sandbox), open('third', sandbox)]
  expect(first.take(100)).toBe(true)
  expect(second.take(10)).toBe(true)
  expect(first.take(10)).toBe(false)
  expect(third.take(10)).toBe(false)
  expect(open('other').take(500)).toBe(true)
  pass(1250, () => second.take(100))
  // They are not to blame: they wait.
  expect(events).toEqual([])
  second.close()
  // Both need the same; who came first has the loan.
  expect(events).toEqual(['first goes on'])
  first.close()
  expect(events).toEqual(['first goes on', 'third goes on'])
})

it('lends for a share and for all at once, so that two never wait for each other', () => {
  const { budget, events, open } = setUp()
  const share = budget.share(500, 0)
  const [one, other] = [open('one', share), open('other', share)]
  open('large').take(600)
  expect(one.take(400)).toBe(true)
  // The budget is full, the share is not: the loan counts for both.
  expect(one.take(50)).toBe(true)
  expect(other.take(100)).toBe(false)
  expect(one.take(550)).toBe(true)
  one.close()
  expect(events).toEqual(['other goes on'])
})

it('looks at answers that nobody reads as well: bytes that are there already', () => {
  const { budget, events, open, pass } = setUp()
  const answers = Array.from({ length: 20 }, (_, i) => open(`answer ${i}`))
  for (const answer of answers) answer.holds(100, 0)
  expect(budget.bytes).toBe(2000)
  pass(250)
  expect(events).toEqual([])
  // The last ones are read.
  let read = 0
  pass(500, () => {
    read += 50
    for (const answer of answers.slice(10)) answer.holds(100 - read / 10, read)
  })
  expect(budget.bytes).toBeLessThanOrEqual(1000)
  expect(events).toHaveLength(10)
  expect(events.every((event) => /^answer \d crowded$/.test(event))).toBe(true)
})
