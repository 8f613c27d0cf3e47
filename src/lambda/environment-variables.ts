/** Rules for a function's own environment variables. */
import { LIMITS } from './limits.ts'
import { refused } from './refusals.ts'

/** Names that only the platform sets. Source: developer guide, "Defined runtime environment variables". */
export const RESERVED_VARIABLES: ReadonlySet<string> = new Set([
  '_HANDLER',
  '_X_AMZN_TRACE_ID',
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_DEFAULT_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_LAMBDA_MAX_CONCURRENCY',
  'AWS_LAMBDA_METADATA_API',
  'AWS_LAMBDA_METADATA_TOKEN',
  'AWS_LAMBDA_RUNTIME_API',
  'AWS_REGION',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SECRET_KEY',
  'AWS_SESSION_TOKEN',
  'LAMBDA_RUNTIME_DIR',
  'LAMBDA_TASK_ROOT',
])

const REFUSAL =
  'Lambda was unable to configure your environment variables because the environment variables you have provided'

/** @throws LambdaException InvalidParameterValueException: a reserved name, more than 4 KB, or a byte that no process can be given. */
export function checkEnvironmentVariables(variables: Readonly<Record<string, string>>): void {
  const reserved = Object.keys(variables).filter((name) => RESERVED_VARIABLES.has(name))
  if (reserved.length > 0) {
    throw refused(
      `${REFUSAL} contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(', ')}`,
    )
  }
  const measured = Buffer.byteLength(JSON.stringify(variables))
  if (measured > LIMITS.environmentBytes) {
    // AWS repeats the variables here, secrets among them.
    throw refused(`${REFUSAL} exceeded the 4KB limit. String measured: ${measured} bytes`)
  }
  if (Object.values(variables).some((value) => value.includes('\0'))) {
    throw refused(`${REFUSAL} contains a NUL character in a value. Remove it: no process can be given such a variable.`)
  }
}
