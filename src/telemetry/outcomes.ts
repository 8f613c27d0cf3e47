/**
 * How an invocation ended, as metrics count it. A function chooses its own error type, any of them; a label may only have values of a
 * closed list, or each error type would be a series that stays for ever. The log has the error type as it is.
 */

/** Error types of the platform and of AWS's runtime clients, under which people look for a failure. */
const ERROR_TYPES: ReadonlySet<string> = new Set([
  'Function.ResponseSizeTooLarge',
  'Function.Unknown',
  'Runtime.BadFunctionCode',
  'Runtime.BuiltInModuleConflict',
  'Runtime.CallbackHandlerDeprecated',
  'Runtime.ExitError',
  'Runtime.HandlerNotFound',
  'Runtime.ImportModuleError',
  'Runtime.InvalidEntrypoint',
  'Runtime.InvalidResponseModeHeader',
  'Runtime.InvalidWorkingDir',
  'Runtime.MalformedHandlerName',
  'Runtime.MarshalError',
  'Runtime.NodeJsExit',
  'Runtime.OutOfMemory',
  'Runtime.TruncatedResponse',
  'Runtime.UnhandledPromiseRejection',
  'Runtime.Unknown',
  'Runtime.UnmarshalError',
  'Runtime.UserCodeSyntaxError',
  'Runtime.UserException',
  'Sandbox.Failure',
  'Sandbox.Timedout',
  'success',
])

/** `success`, a known error type, or `other`. */
export function outcomeLabel(outcome: string): string {
  return ERROR_TYPES.has(outcome) ? outcome : 'other'
}
