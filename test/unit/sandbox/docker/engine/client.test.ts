import type { Agent } from 'node:http'
import { inspect } from 'node:util'
import { expect, it } from 'vitest'
import { connect } from '../../../../../src/sandbox/docker/engine/client.ts'

it('is described in a word, because docker-modem describes it for every request', () => {
  const { agent } = (connect() as unknown as { modem: { agent: Agent } }).modem
  // As docker-modem asks for it.
  expect(inspect({ agent }, { showHidden: true, depth: null })).toBe('{ agent: Agent }')
})
