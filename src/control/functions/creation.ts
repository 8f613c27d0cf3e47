/** The rules of CreateFunction that need nothing but its request. */
import type { FunctionKey } from '../../lambda/function.ts'
import { refused } from '../../lambda/refusals.ts'
import { violation, violationMessage } from '../../lambda/validation.ts'
import { checkTags } from '../tags.ts'
import { checkRuntime, checkSettings } from './draft.ts'
import type { CreationInput } from './function-input.ts'
import { checkPackageType } from './image-config.ts'
import { refuseUnsupportedCreation } from './unsupported.ts'

/** @throws LambdaException InvalidParameterValueException */
export function checkCreation({ name }: FunctionKey, input: CreationInput, now: number): 'Zip' | 'Image' {
  checkName(name)
  refuseUnsupportedCreation(input)
  const packageType = checkPackageType(input)
  if (packageType === 'Zip') {
    if (!input.runtime || !input.handler) {
      throw refused('Runtime and Handler are mandatory parameters for functions created with deployment packages.')
    }
    checkRuntime(input.runtime, now)
  }
  checkSettings(input)
  checkTags(input.tags ?? {})
  return packageType
}

/** Names get 64 characters, whatever the length of the ARN around them. */
function checkName(name: string): void {
  if (name.length <= 64) return
  throw refused(violationMessage([violation(name, 'functionName', 'Member must have length less than or equal to 64')]))
}
