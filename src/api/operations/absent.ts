/** Reads and deletions of what cannot exist here yet: their filters and pages are checked against the model, and find nothing. */
import { capacityProviderNotFound, durableExecutionNotFound } from '../../control/absent.ts'
import { partitionOf } from '../../lambda/arn.ts'
import type { LambdaException } from '../../lambda/errors.ts'
import { resourceNotFound } from '../../lambda/refusals.ts'
import type { OperationRequest } from './parse.ts'
import type { Handler } from './services.ts'

const throwing =
  (refusal: (request: OperationRequest) => LambdaException): Handler =>
  async (request) => {
    throw refusal(request)
  }

export const listEventSourceMappings: Handler = async () => ({ EventSourceMappings: [] })
export const eventSourceMapping = throwing(() => resourceNotFound())

export const listFunctionUrlConfigs: Handler = async (request, { control }) => {
  const { key } = request.function('control')
  return { FunctionUrlConfigs: await control.absent.functionUrls(key) }
}
/** The name of the function is read for its account and region. */
export const functionUrlConfig = throwing((request) => {
  request.function('control')
  return resourceNotFound()
})

export const listCapacityProviders: Handler = async () => ({ CapacityProviders: [] })
export const capacityProvider = throwing((request) => {
  const { account, region } = request.caller
  const name = request.path('capacityProviderName')
  const own = `arn:${partitionOf(region)}:lambda:${region}:${account}:capacity-provider:${name}`
  return capacityProviderNotFound(name.startsWith('arn:') ? name : own)
})
export const getFunctionScalingConfig: Handler = async (request, { control }) => {
  const { key, qualifier } = request.function('control')
  const { functionArn } = await control.absent.scaling(key, qualifier)
  return { FunctionArn: functionArn }
}

export const listDurableExecutionsByFunction: Handler = async (request, { control }) => {
  const { key, qualifier } = request.function('invoke')
  return { DurableExecutions: await control.absent.durableExecutions(key, qualifier) }
}
export const durableExecution = throwing((request) => durableExecutionNotFound(request.path('durableExecutionArn')))
