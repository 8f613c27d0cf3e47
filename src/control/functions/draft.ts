/**
 * The draft of a function: what a request makes of the settings and the code before it. Pure: CreateFunction, UpdateFunctionConfiguration and
 * UpdateFunctionCode check the request, draft, and store what was drafted.
 */

import { checkEnvironmentVariables } from '../../lambda/environment-variables.ts'
import { checkDeadLetterTarget } from '../../lambda/events/destination.ts'
import type { Architecture, FunctionConfiguration, FunctionKey } from '../../lambda/function.ts'
import { LIMITS } from '../../lambda/limits.ts'
import type { MachineRoom } from '../../lambda/machine-room.ts'
import { refused } from '../../lambda/refusals.ts'
import { blockedForCreate, creatableRuntimes, isKnownRuntime } from '../../lambda/runtimes.ts'
import { numberFaults, violation, violationMessage } from '../../lambda/validation.ts'
import type { CodeConfiguration } from '../code/code-source.ts'
import type { SettingsInput } from './function-input.ts'
import { checkUnzippedSize } from './function-layers.ts'
import { imageConfigOf } from './image-config.ts'
import { defaultLogging, loggingOf } from './logging.ts'
import { roomSettings } from './room.ts'

/** What a draft decides; the rest of a configuration is its code and its layers. */
export type DraftedSettings = Pick<
  FunctionConfiguration,
  | 'runtime'
  | 'handler'
  | 'role'
  | 'description'
  | 'timeout'
  | 'memorySize'
  | 'ephemeralStorage'
  | 'environment'
  | 'imageConfig'
  | 'deadLetterTarget'
  | 'tracingMode'
  | 'logging'
  | 'vpc'
  | 'fileSystems'
>

/** Where the function is, and what it may name there. */
export interface DraftPlace {
  readonly key: FunctionKey
  readonly room: MachineRoom
}

export interface DraftedCode {
  readonly code: CodeConfiguration
  readonly architecture: Architecture
}

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

/** A new function before its request is read: everything that has a default. */
export function blank(name: string, role: string): DraftedSettings {
  return {
    role,
    description: '',
    timeout: LIMITS.timeoutS.default,
    memorySize: LIMITS.memoryMb.default,
    ephemeralStorage: LIMITS.ephemeralStorageMb.default,
    tracingMode: 'PassThrough',
    logging: defaultLogging(name),
  }
}

/**
 * The settings that a request makes of those before it: only members that it has change, and Environment replaces the whole map.
 * @throws LambdaException InvalidParameterValueException
 */
export function draft<Before extends DraftedSettings>(before: Before, input: SettingsInput, place: DraftPlace): Before {
  return {
    ...before,
    runtime: input.runtime ?? before.runtime,
    handler: input.handler ?? before.handler,
    role: input.role ?? before.role,
    description: input.description ?? before.description,
    timeout: input.timeout ?? before.timeout,
    memorySize: input.memorySize ?? before.memorySize,
    ephemeralStorage: input.ephemeralStorage?.size ?? before.ephemeralStorage,
    ...environmentOf(input),
    imageConfig: imageConfigOf(input, before.imageConfig),
    ...deadLetterOf(input),
    tracingMode: input.tracingConfig?.mode ?? before.tracingMode,
    logging: loggingOf(input, before.logging),
    ...roomSettings(place.room, place.key, input, before),
  }
}

/**
 * What is before with other code, whose signature is not verified yet.
 * @throws LambdaException InvalidParameterValueException: code and layers are too large together
 */
export function withCode<Before extends DraftedSettings & Pick<FunctionConfiguration, 'layers'>>(
  before: Before,
  { code, architecture }: DraftedCode,
): Before & CodeConfiguration & { readonly architecture: Architecture } {
  checkUnzippedSize(code.unzippedBytes ?? 0, before.layers ?? [])
  return { ...before, architecture, ...code }
}

function environmentOf(input: SettingsInput): Pick<FunctionConfiguration, 'environment'> {
  return input.environment === undefined ? {} : { environment: input.environment.variables ?? {} }
}

/** A configuration without a TargetArn takes the dead-letter queue away, whether it is empty or absent. */
function deadLetterOf({ deadLetterConfig }: SettingsInput): Pick<FunctionConfiguration, 'deadLetterTarget'> {
  return deadLetterConfig === undefined ? {} : { deadLetterTarget: deadLetterConfig.targetArn || undefined }
}
