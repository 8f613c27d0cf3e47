/** LoggingConfig: levels exist only with JSON, where both default to INFO. */
import type { LoggingConfig } from '../../lambda/function.ts'
import { refused } from '../../lambda/refusals.ts'
import type { SettingsInput } from './function-input.ts'

/**
 * What a request makes of the current configuration: members that it does not name stay, and going to Text drops the levels.
 * @throws LambdaException InvalidParameterValueException: levels where the format is or becomes Text
 */
export function loggingOf(input: SettingsInput, current: LoggingConfig): LoggingConfig {
  const asked = input.loggingConfig ?? {}
  const { logFormat = current.logFormat, logGroup = current.logGroup } = asked
  if (logFormat === 'Text') {
    if (asked.applicationLogLevel !== undefined || asked.systemLogLevel !== undefined) {
      throw refused(
        'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to "JSON" and try again.',
      )
    }
    return { logFormat, logGroup }
  }
  return {
    logFormat,
    applicationLogLevel: asked.applicationLogLevel ?? current.applicationLogLevel ?? 'INFO',
    systemLogLevel: asked.systemLogLevel ?? current.systemLogLevel ?? 'INFO',
    logGroup,
  }
}

/** Where a function's log goes unless it says otherwise. */
export function defaultLogging(name: string): LoggingConfig {
  return { logFormat: 'Text', logGroup: `/aws/lambda/${name}` }
}
