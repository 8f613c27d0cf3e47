/** Provisioned concurrency operations. */
import type { ProvisionedConfig } from '../../control/provisioned.ts'
import { functionArn } from '../../lambda/arn.ts'
import type { Handler } from './services.ts'

export const putProvisionedConcurrencyConfig: Handler = async (request, { control }) => {
  const { provisionedConcurrentExecutions } = request.body('PutProvisionedConcurrencyConfig')
  const { key, qualifier } = request.function('control')
  return configuration(await control.provisioned.put(key, qualifier, provisionedConcurrentExecutions))
}

export const getProvisionedConcurrencyConfig: Handler = async (request, { control }) => {
  const { key, qualifier } = request.function('control')
  return configuration(await control.provisioned.get(key, qualifier))
}

export const deleteProvisionedConcurrencyConfig: Handler = async (request, { control }) => {
  const { key, qualifier } = request.function('control')
  await control.provisioned.delete(key, qualifier)
  return undefined
}

export const listProvisionedConcurrencyConfigs: Handler = async (request, { control }) => {
  const page = request.page()
  const { key, qualifier } = request.function('control')
  const { items, nextMarker } = await control.provisioned.list(key, qualifier, page)
  return {
    ProvisionedConcurrencyConfigs: items.map((config) => ({
      FunctionArn: functionArn(key, config.qualifier),
      ...configuration(config),
    })),
    NextMarker: nextMarker,
  }
}

function configuration(config: ProvisionedConfig) {
  return {
    RequestedProvisionedConcurrentExecutions: config.requested,
    AvailableProvisionedConcurrentExecutions: config.available,
    AllocatedProvisionedConcurrentExecutions: config.allocated,
    Status: config.status,
    StatusReason: config.statusReason,
    // Recorded: whole seconds, without a fraction, unlike the dates of functions.
    LastModified: `${new Date(config.lastModified).toISOString().slice(0, 19)}+0000`,
  }
}
