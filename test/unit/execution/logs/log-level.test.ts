import { describe, expect, it } from 'vitest'
import { keepsLine } from '../../../../src/execution/logs/log-level.ts'

const at = '2026-01-05T10:00:00.000Z'
const json = (level: unknown, timestamp: unknown = at) => JSON.stringify({ timestamp, level, message: 'm' })

describe('ApplicationLogLevel', () => {
  it('drops JSON lines below it and keeps its own level and those above', () => {
    const kept = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].filter((level) => keepsLine(json(level), 'WARN'))
    expect(kept).toEqual(['WARN', 'ERROR', 'FATAL'])
  })

  it('knows the names that logging libraries use, in any case', () => {
    expect(keepsLine(json('debug'), 'INFO')).toBe(false)
    expect(keepsLine(json('WARNING'), 'ERROR')).toBe(false)
    expect(keepsLine(json('critical'), 'FATAL')).toBe(true)
  })

  it('keeps what does not say both level and time, or says it in no known way', () => {
    for (const line of [
      'DEBUG plain text',
      '{"level":"DEBUG","timestamp":"2026',
      JSON.stringify({ level: 'DEBUG', message: 'm' }),
      JSON.stringify({ timestamp: at, message: 'm' }),
      json('VERBOSE'),
      json(20),
      json('DEBUG', 'yesterday'),
      json('DEBUG', 1767607200),
      `[${json('DEBUG')}]`,
    ]) {
      expect(keepsLine(line, 'FATAL'), line).toBe(true)
    }
  })
})
