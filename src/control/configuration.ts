/** Requests to configurations: defaults for new functions, changes for existing ones, and AWS's rules between members. */
import { checkDeadLetterTarget } from '../lambda/destination.ts'
import { checkEnvironmentVariables } from '../lambda/environment-variables.ts'
import type { Architecture, FunctionConfiguration } from '../lambda/function.ts'
import { LIMITS } from '../lambda/limits.ts'
import { refused } from '../lambda/refusals.ts'
import { blockedForCreate, creatableRuntimes, isKnownRuntime } from '../lambda/runtimes.ts'
import { numberFaults, violation, violationMessage } from '../lambda/validation.ts'
import type { CodeConfiguration } from './code-source.ts'
import { imageConfigOf } from './image-config.ts'
import { defaultLogging, loggingOf } from './logging.ts'
import type { SettingsInput } from './requests.ts'

/** @throws LambdaException InvalidParameterValueException: unknown, or no longer offered for new functions. */
export function checkRuntime(runtime: string, now: number): void {
  if (!isKnownRuntime(runtime)) {
    throw refused(
      `Value ${runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [${creatableRuntimes().join(', ')}] or be a valid ARN`,
    )
  }
  if (blockedForCreate(runtime, now)) {
    throw refused(
      `The runtime parameter of ${runtime} is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.`,
    )
  }
}

/** Rules that do not depend on the function as it is. @throws LambdaException InvalidParameterValueException */
export function checkSettings(input: SettingsInput): void {
  // The model allows more, for functions on capacity providers.
  const ranges = [
    ['timeout', input.timeout, LIMITS.timeoutS],
    ['memorySize', input.memorySize, LIMITS.memoryMb],
    ['ephemeralStorage.size', input.ephemeralStorage?.size, LIMITS.ephemeralStorageMb],
  ] as const
  const violations = ranges.flatMap(([member, value, range]) =>
    value === undefined ? [] : numberFaults(value, range).map((fault) => violation(String(value), member, fault)),
  )
  if (violations.length > 0) throw refused(violationMessage(violations))
  if (input.environment?.variables) checkEnvironmentVariables(input.environment.variables)
  if (input.deadLetterConfig?.targetArn) checkDeadLetterTarget(input.deadLetterConfig.targetArn)
}

export function newConfiguration(
  name: string,
  input: SettingsInput & { readonly role: string },
  architecture: Architecture,
  code: CodeConfiguration,
): FunctionConfiguration {
  return {
    ...(input.runtime === undefined ? {} : { runtime: input.runtime }),
    ...(input.handler === undefined ? {} : { handler: input.handler }),
    role: input.role,
    description: input.description ?? '',
    timeout: input.timeout ?? LIMITS.timeoutS.default,
    memorySize: input.memorySize ?? LIMITS.memoryMb.default,
    ephemeralStorage: input.ephemeralStorage?.size ?? LIMITS.ephemeralStorageMb.default,
    architecture,
    imageConfig: imageConfigOf(input, undefined),
    ...environmentOf(input),
    tracingMode: input.tracingConfig?.mode ?? 'PassThrough',
    ...deadLetterOf(input),
    logging: loggingOf(input, defaultLogging(name)),
    ...code,
  }
}

/** Only supplied members change; Environment replaces the whole map. */
export function changedConfiguration(current: FunctionConfiguration, input: SettingsInput): FunctionConfiguration {
  return {
    ...current,
    runtime: input.runtime ?? current.runtime,
    handler: input.handler ?? current.handler,
    role: input.role ?? current.role,
    description: input.description ?? current.description,
    timeout: input.timeout ?? current.timeout,
    memorySize: input.memorySize ?? current.memorySize,
    ephemeralStorage: input.ephemeralStorage?.size ?? current.ephemeralStorage,
    ...environmentOf(input),
    imageConfig: imageConfigOf(input, current.imageConfig),
    ...deadLetterOf(input),
    tracingMode: input.tracingConfig?.mode ?? current.tracingMode,
    logging: loggingOf(input, current.logging),
  }
}

function environmentOf(input: SettingsInput): Pick<FunctionConfiguration, 'environment'> {
  return input.environment === undefined ? {} : { environment: input.environment.variables ?? {} }
}

/** A configuration without a TargetArn takes the dead-letter queue away, whether it is empty or absent. */
function deadLetterOf({ deadLetterConfig }: SettingsInput): Pick<FunctionConfiguration, 'deadLetterTarget'> {
  return deadLetterConfig === undefined ? {} : { deadLetterTarget: deadLetterConfig.targetArn || undefined }
}
