import { beforeEach, expect, it } from 'vitest'
import { steadyClock } from '../../../../src/invoke/events/steady-clock.ts'

const START = 1_700_000_000_000
const MINUTE = 60_000

let wall: number
let monotonic: number
let clock: () => number
beforeEach(() => {
  wall = START
  monotonic = 5_000
  clock = steadyClock(
    () => wall,
    () => monotonic,
  )
})
const passes = (ms: number) => {
  wall += ms
  monotonic += ms
}

it('is the wall clock while that goes its way', () => {
  expect(clock()).toBe(START)
  passes(1234)
  expect(clock()).toBe(START + 1234)
})

it('follows a step forward at once', () => {
  wall += MINUTE
  expect(clock()).toBe(START + MINUTE)
})

it('follows a suspend, whether the monotonic clock stood still meanwhile or not', () => {
  wall += 3_600_000
  expect(clock()).toBe(START + 3_600_000)
  passes(3_600_000)
  expect(clock()).toBe(START + 7_200_000)
})

it('never runs back: after a step back it goes at half its pace until the wall clock has caught up', () => {
  wall -= MINUTE
  let before = clock()
  expect(before).toBe(START)
  for (let second = 1; second <= 120; second++) {
    passes(1000)
    const now = clock()
    expect(now - before).toBe(500)
    before = now
  }
  expect(before).toBe(wall)
  passes(1000)
  expect(clock()).toBe(wall)
})
