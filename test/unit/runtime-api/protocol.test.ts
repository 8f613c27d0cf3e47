import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  EXTENSION_TRANSITIONS,
  extensionRefusal,
  nextExtensionState,
  nextRuntimeState,
  RUNTIME_CALL_TARGET,
  RUNTIME_TRANSITIONS,
  type RuntimeCall,
  type RuntimeState,
  runtimeRefusal,
} from '../../../src/runtime-api/protocol.ts'
import { ROUTES } from '../../../src/runtime-api/routes.ts'

const documentation = readFileSync(new URL('../../../docs/runtime-api.md', import.meta.url), 'utf8')

/** The rows of the table under a heading: cells without their backticks. */
function tableUnder(heading: string): string[][] {
  const section = documentation.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  const rows = section.split('\n').filter((line) => line.startsWith('|'))
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  )
}

function transitions(table: Readonly<Record<string, Readonly<Record<string, string | undefined>>>>): string[][] {
  return Object.entries(table).flatMap(([state, events]) =>
    Object.entries(events).map(([event, next]) => [state, event, next ?? '']),
  )
}

describe('the runtime state table', () => {
  const states = Object.keys(RUNTIME_TRANSITIONS) as RuntimeState[]
  const calls = Object.keys(RUNTIME_CALL_TARGET) as RuntimeCall[]
  const legal: Record<RuntimeState, Partial<Record<string, RuntimeState>>> = {
    Started: { next: 'Ready', initError: 'InitError' },
    InitError: {},
    Ready: { next: 'Ready', delivered: 'Running' },
    Running: { next: 'Running', response: 'InvocationResponse', error: 'InvocationErrorResponse' },
    InvocationResponse: { answered: 'RuntimeResponseSentState' },
    InvocationErrorResponse: { answered: 'RuntimeResponseSentState' },
    RuntimeResponseSentState: { next: 'Ready' },
  }

  for (const state of states) {
    for (const event of [...calls, 'delivered', 'answered'] as const) {
      const next = legal[state][event]
      it(`in ${state} ${next === undefined ? 'refuses' : 'allows'} ${event}`, () => {
        expect(nextRuntimeState(state, event)).toBe(next)
      })
    }
  }

  it('names both states in a refusal, as AWS does', () => {
    expect(runtimeRefusal('RuntimeResponseSentState', 'response')).toBe(
      'State transition from RuntimeResponseSentState to InvocationResponse failed for runtime. Error: State transition is not allowed',
    )
    expect(runtimeRefusal('RuntimeResponseSentState', 'error')).toContain('to InvocationErrorResponse failed')
    expect(runtimeRefusal('Ready', 'initError')).toContain('from Ready to InitError failed')
    expect(runtimeRefusal('InitError', 'next')).toContain('from InitError to Ready failed')
  })

  it('is the one that docs/runtime-api.md shows', () => {
    expect(tableUnder('States of the runtime')).toEqual(transitions(RUNTIME_TRANSITIONS))
  })
})

describe('the extension state table', () => {
  it('lets nobody but the host put an extension into Running', () => {
    for (const [state, events] of Object.entries(EXTENSION_TRANSITIONS)) {
      for (const [event, next] of Object.entries(events)) {
        if (next === 'Running') expect([state, event]).toEqual(['Ready', 'delivered'])
      }
    }
  })

  it('keeps an extension that reported its failure from asking for events', () => {
    expect(nextExtensionState('InitError', 'next')).toBeUndefined()
    expect(nextExtensionState('ExitError', 'next')).toBeUndefined()
  })

  it('names the extension in a refusal', () => {
    expect(extensionRefusal('InitError', 'next', 'x')).toBe(
      'State transition from InitError to Ready failed for extension x. Error: State transition is not allowed',
    )
  })

  it('is the one that docs/runtime-api.md shows', () => {
    expect(tableUnder('States of an internal extension')).toEqual(transitions(EXTENSION_TRANSITIONS))
  })
})

describe('the routes', () => {
  it('are those that docs/runtime-api.md lists', () => {
    const listed = tableUnder('Routes').map(([method, path]) => [method, path?.replace('{id}', '*')])
    expect(listed).toEqual(ROUTES.map(({ method, path }) => [method, path]))
  })
})
