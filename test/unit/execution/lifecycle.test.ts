import { describe, expect, it } from 'vitest'
import {
  allows,
  IllegalTransition,
  LIFECYCLE,
  type LifecycleEvent,
  type LifecycleState,
  next,
} from '../../../src/execution/lifecycle.ts'

const states = Object.keys(LIFECYCLE) as LifecycleState[]
const events = [...new Set(states.flatMap((state) => Object.keys(LIFECYCLE[state])))] as LifecycleEvent[]

describe('the lifecycle table', () => {
  it('refuses every event that it does not list', () => {
    for (const state of states) {
      for (const event of events) {
        if (allows(state, event)) expect(states).toContain(next(state, event))
        else expect(() => next(state, event)).toThrow(IllegalTransition)
      }
    }
  })

  it('runs an invocation only from Idle, so that an environment has one at a time', () => {
    expect(states.filter((state) => allows(state, 'invoke'))).toEqual(['Idle'])
  })

  it('reaches Terminated from every state', () => {
    for (const start of states) {
      const seen = new Set<LifecycleState>([start])
      for (const state of seen) for (const to of Object.values(LIFECYCLE[state])) seen.add(to)
      expect(seen).toContain('Terminated')
    }
  })

  it('never leaves Terminated', () => {
    expect(LIFECYCLE.Terminated).toEqual({})
  })
})
