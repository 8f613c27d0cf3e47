import { describe, expect, it } from 'vitest'
import { defaultLogging, loggingOf } from '../../../../src/control/functions/logging.ts'

const text = defaultLogging('f')
const json = loggingOf({ loggingConfig: { logFormat: 'JSON' } }, text)

describe('LoggingConfig', () => {
  it('is Text in the group of the function without a request', () => {
    expect(loggingOf({}, text)).toEqual({ logFormat: 'Text', logGroup: '/aws/lambda/f' })
  })

  it('has both levels at INFO with JSON, or those that were asked for', () => {
    expect(json).toEqual({
      logFormat: 'JSON',
      applicationLogLevel: 'INFO',
      systemLogLevel: 'INFO',
      logGroup: '/aws/lambda/f',
    })
    const asked = {
      logFormat: 'JSON',
      applicationLogLevel: 'ERROR',
      systemLogLevel: 'DEBUG',
      logGroup: 'mine',
    } as const
    expect(loggingOf({ loggingConfig: asked }, text)).toEqual(asked)
  })

  it('keeps what an update does not name, and forgets the levels on the way back to Text', () => {
    const changed = loggingOf({ loggingConfig: { applicationLogLevel: 'DEBUG' } }, json)
    expect(changed).toMatchObject({ logFormat: 'JSON', applicationLogLevel: 'DEBUG', systemLogLevel: 'INFO' })
    expect(loggingOf({ loggingConfig: { logFormat: 'Text' } }, changed)).toEqual(text)
  })

  it('refuses levels where the format is, or becomes, Text', () => {
    const message =
      'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to "JSON" and try again.'
    expect(() => loggingOf({ loggingConfig: { systemLogLevel: 'WARN' } }, text)).toThrow(message)
    expect(() => loggingOf({ loggingConfig: { logFormat: 'Text', applicationLogLevel: 'INFO' } }, json)).toThrow(
      message,
    )
  })
})
