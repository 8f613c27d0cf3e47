/** Get- and PutRuntimeManagementConfig. */
import { runtimeVersionArnOf } from '../../control/runtime-management.ts'
import { functionArn } from '../../lambda/arn.ts'
import type { FunctionKey, FunctionVersion } from '../../lambda/function.ts'
import type { Handler } from './services.ts'

export const getRuntimeManagementConfig: Handler = async (request, { control }) => {
  const { key, qualifier } = request.function('invoke')
  return described(key, qualifier, await control.runtimeManagement.get(key, qualifier))
}

export const putRuntimeManagementConfig: Handler = async (request, { control }) => {
  const input = request.body('PutRuntimeManagementConfig')
  const { key, qualifier } = request.function('invoke')
  return described(key, qualifier, await control.runtimeManagement.put(key, qualifier, input))
}

function described(key: FunctionKey, qualifier: string | undefined, version: FunctionVersion) {
  const { updateRuntimeOn = 'Auto', runtimePin } = version
  const named = updateRuntimeOn === 'Manual' && runtimePin !== undefined
  return {
    UpdateRuntimeOn: updateRuntimeOn,
    FunctionArn: functionArn(key, qualifier),
    RuntimeVersionArn: named ? runtimeVersionArnOf(key.region, runtimePin) : undefined,
  }
}
