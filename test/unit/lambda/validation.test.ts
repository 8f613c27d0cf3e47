import { describe, expect, it } from 'vitest'
import { checkRouting, routingOf } from '../../../src/lambda/alias.ts'
import { checkEnvironmentVariables } from '../../../src/lambda/environment-variables.ts'
import { refuseViolations, textFaults, violation } from '../../../src/lambda/validation.ts'

describe('model constraints', () => {
  it('match patterns against the whole value', () => {
    expect(textFaults('abc!', { pattern: '[a-z]+' })).toEqual([
      'Member must satisfy regular expression pattern: [a-z]+',
    ])
    expect(textFaults('b', { pattern: 'a|b' })).toEqual([])
    expect(textFaults('xb', { pattern: 'a|b' })).toHaveLength(1)
    expect(textFaults('ключ 1', { pattern: '([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)' })).toEqual([])
  })

  it('match what is too long, too, but not what is so long that it costs', () => {
    const long = 'Member must have length less than or equal to 10'
    const rules = { max: 10, pattern: '[a-z]+' }
    expect(textFaults('!'.repeat(11), rules)).toEqual([long, 'Member must satisfy regular expression pattern: [a-z]+'])
    expect(textFaults('a'.repeat(11), rules)).toEqual([long])
    expect(textFaults('!'.repeat(513), rules)).toEqual([long])
  })

  it('show a missing value as null without quotes, and count in the right number', () => {
    expect(() => refuseViolations([violation(undefined, 'role', 'Member must not be null')])).toThrow(
      "1 validation error detected: Value null at 'role' failed to satisfy constraint: Member must not be null",
    )
    expect(() => refuseViolations(['a', 'b'])).toThrow('2 validation errors detected: a; b')
    expect(() => refuseViolations([])).not.toThrow()
  })
})

describe('environment variables', () => {
  it('may take 4096 bytes as compact JSON and not one more', () => {
    // {"KEY_A":"…"} has 12 bytes around the value.
    checkEnvironmentVariables({ KEY_A: 'x'.repeat(4096 - 12) })
    expect(() => checkEnvironmentVariables({ KEY_A: 'x'.repeat(4096 - 11) })).toThrow(/exceeded the 4KB limit/)
    expect(() => checkEnvironmentVariables({ KEY_A: 'ä'.repeat(2043) })).toThrow(/exceeded the 4KB limit/)
  })

  it('may not have the names of the platform', () => {
    expect(() => checkEnvironmentVariables({ AWS_REGION: 'x', MY_OWN: 'y', LAMBDA_TASK_ROOT: 'z' })).toThrow(
      'Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: AWS_REGION, LAMBDA_TASK_ROOT',
    )
    checkEnvironmentVariables({
      TZ: 'Europe/Rome',
      NODE_OPTIONS: '--trace-warnings',
      AWS_LAMBDA_EXEC_WRAPPER: '/opt/w',
    })
  })

  it('may not hold what no process can be given', () => {
    expect(() => checkEnvironmentVariables({ KEY_A: 'a\0b' })).toThrow(/NUL character in a value/)
  })
})

describe('weighted aliases', () => {
  it('have one additional version or none', () => {
    expect(routingOf('1', {})).toBeUndefined()
    expect(routingOf('1', { '2': 0.5 })).toEqual({ version: '2', weight: 0.5 })
    expect(() => routingOf('1', { '2': 0.5, '3': 0.1 })).toThrow(/cannot be greater than 1/)
  })

  it('have two different, published versions', () => {
    expect(() => checkRouting('1', '1')).toThrow(/already included in routing configuration/)
    expect(() => checkRouting('$LATEST', '1')).toThrow(/\$LATEST is not supported/)
    checkRouting('1', '2')
  })
})
