/**
 * Every operation of the service model 2015-03-31 (botocore 1.44.8): what Hearth has, and what it refuses with which sentence. A test
 * compares the table with the model.
 */
import * as absent from './absent.ts'
import * as account from './account.ts'
import * as aliases from './aliases.ts'
import * as codeSigning from './code-signing.ts'
import * as concurrency from './concurrency.ts'
import * as eventInvoke from './event-invoke.ts'
import * as functions from './functions.ts'
import * as layers from './layers.ts'
import * as permissions from './permissions.ts'
import * as provisioned from './provisioned.ts'
import * as recursion from './recursion.ts'
import * as runtimeManagement from './runtime-management.ts'
import type { Handler } from './services.ts'
import * as tags from './tags.ts'
import * as versions from './versions.ts'

export interface Operation {
  readonly name: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** As in the model; `{Label}` is one percent-encoded segment. */
  readonly path: string
  /** The query parameter that tells the operation from another one of the same method and path. */
  readonly query?: readonly [name: string, value: string]
  /** Status of success. */
  readonly status: number
  readonly handle?: Handler
  /** The data plane answers it. */
  readonly invoke?: true
  /** There is nothing that it could find: the handler answers as AWS does where there is none. Says why. */
  readonly none?: string
  /** Why there is no handler, for the caller. */
  readonly refused?: string
}

const NOT_YET = {
  durable: 'Durable executions are not supported by Hearth yet.',
  capacity: 'Capacity providers are not supported by Hearth yet.',
  mappings: 'Event source mappings are not supported by Hearth yet.',
  urls: 'Function URLs are not supported by Hearth yet.',
  streaming: 'Response streaming is not supported by Hearth yet. Use Invoke.',
} as const

// biome-ignore format: a table has one row on each line
export const OPERATIONS: readonly Operation[] = [
  { name: 'AddLayerVersionPermission', method: 'POST', path: '/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy', status: 201, handle: layers.addLayerVersionPermission },
  { name: 'AddPermission', method: 'POST', path: '/2015-03-31/functions/{FunctionName}/policy', status: 201, handle: permissions.addPermission },
  { name: 'CheckpointDurableExecution', method: 'POST', path: '/2025-12-01/durable-executions/{DurableExecutionArn}/checkpoint', status: 200, refused: NOT_YET.durable },
  { name: 'CreateAlias', method: 'POST', path: '/2015-03-31/functions/{FunctionName}/aliases', status: 201, handle: aliases.createAlias },
  { name: 'CreateCapacityProvider', method: 'POST', path: '/2025-11-30/capacity-providers', status: 202, refused: NOT_YET.capacity },
  { name: 'CreateCodeSigningConfig', method: 'POST', path: '/2020-04-22/code-signing-configs', status: 201, handle: codeSigning.createCodeSigningConfig },
  { name: 'CreateEventSourceMapping', method: 'POST', path: '/2015-03-31/event-source-mappings', status: 202, refused: NOT_YET.mappings },
  { name: 'CreateFunction', method: 'POST', path: '/2015-03-31/functions', status: 201, handle: functions.createFunction },
  { name: 'CreateFunctionUrlConfig', method: 'POST', path: '/2021-10-31/functions/{FunctionName}/url', status: 201, refused: NOT_YET.urls },
  { name: 'DeleteAlias', method: 'DELETE', path: '/2015-03-31/functions/{FunctionName}/aliases/{Name}', status: 204, handle: aliases.deleteAlias },
  { name: 'DeleteCapacityProvider', method: 'DELETE', path: '/2025-11-30/capacity-providers/{CapacityProviderName}', status: 202, handle: absent.capacityProvider, none: NOT_YET.capacity },
  { name: 'DeleteCodeSigningConfig', method: 'DELETE', path: '/2020-04-22/code-signing-configs/{CodeSigningConfigArn}', status: 204, handle: codeSigning.deleteCodeSigningConfig },
  { name: 'DeleteDurableExecution', method: 'DELETE', path: '/2025-12-01/durable-executions/{DurableExecutionArn}', status: 202, handle: absent.durableExecution, none: NOT_YET.durable },
  { name: 'DeleteEventSourceMapping', method: 'DELETE', path: '/2015-03-31/event-source-mappings/{UUID}', status: 202, handle: absent.eventSourceMapping, none: NOT_YET.mappings },
  { name: 'DeleteFunction', method: 'DELETE', path: '/2015-03-31/functions/{FunctionName}', status: 204, handle: functions.deleteFunction },
  { name: 'DeleteFunctionCodeSigningConfig', method: 'DELETE', path: '/2020-06-30/functions/{FunctionName}/code-signing-config', status: 204, handle: codeSigning.deleteFunctionCodeSigningConfig },
  { name: 'DeleteFunctionConcurrency', method: 'DELETE', path: '/2017-10-31/functions/{FunctionName}/concurrency', status: 204, handle: concurrency.deleteFunctionConcurrency },
  { name: 'DeleteFunctionEventInvokeConfig', method: 'DELETE', path: '/2019-09-25/functions/{FunctionName}/event-invoke-config', status: 204, handle: eventInvoke.deleteFunctionEventInvokeConfig },
  { name: 'DeleteFunctionUrlConfig', method: 'DELETE', path: '/2021-10-31/functions/{FunctionName}/url', status: 204, handle: absent.functionUrlConfig, none: NOT_YET.urls },
  { name: 'DeleteLayerVersion', method: 'DELETE', path: '/2018-10-31/layers/{LayerName}/versions/{VersionNumber}', status: 204, handle: layers.deleteLayerVersion },
  { name: 'DeleteProvisionedConcurrencyConfig', method: 'DELETE', path: '/2019-09-30/functions/{FunctionName}/provisioned-concurrency', status: 204, handle: provisioned.deleteProvisionedConcurrencyConfig },
  { name: 'DeleteResourcePolicy', method: 'DELETE', path: '/2026-07-09/resource-policy/{ResourceArn}', status: 204, handle: permissions.deleteResourcePolicy },
  { name: 'GetAccountSettings', method: 'GET', path: '/2016-08-19/account-settings', status: 200, handle: account.getAccountSettings },
  { name: 'GetAlias', method: 'GET', path: '/2015-03-31/functions/{FunctionName}/aliases/{Name}', status: 200, handle: aliases.getAlias },
  { name: 'GetCapacityProvider', method: 'GET', path: '/2025-11-30/capacity-providers/{CapacityProviderName}', status: 200, handle: absent.capacityProvider, none: NOT_YET.capacity },
  { name: 'GetCodeSigningConfig', method: 'GET', path: '/2020-04-22/code-signing-configs/{CodeSigningConfigArn}', status: 200, handle: codeSigning.getCodeSigningConfig },
  { name: 'GetDurableExecution', method: 'GET', path: '/2025-12-01/durable-executions/{DurableExecutionArn}', status: 200, handle: absent.durableExecution, none: NOT_YET.durable },
  { name: 'GetDurableExecutionHistory', method: 'GET', path: '/2025-12-01/durable-executions/{DurableExecutionArn}/history', status: 200, handle: absent.durableExecution, none: NOT_YET.durable },
  { name: 'GetDurableExecutionState', method: 'GET', path: '/2025-12-01/durable-executions/{DurableExecutionArn}/state', status: 200, handle: absent.durableExecution, none: NOT_YET.durable },
  { name: 'GetEventSourceMapping', method: 'GET', path: '/2015-03-31/event-source-mappings/{UUID}', status: 200, handle: absent.eventSourceMapping, none: NOT_YET.mappings },
  { name: 'GetFunction', method: 'GET', path: '/2015-03-31/functions/{FunctionName}', status: 200, handle: functions.getFunction },
  { name: 'GetFunctionCodeSigningConfig', method: 'GET', path: '/2020-06-30/functions/{FunctionName}/code-signing-config', status: 200, handle: codeSigning.getFunctionCodeSigningConfig },
  { name: 'GetFunctionConcurrency', method: 'GET', path: '/2019-09-30/functions/{FunctionName}/concurrency', status: 200, handle: concurrency.getFunctionConcurrency },
  { name: 'GetFunctionConfiguration', method: 'GET', path: '/2015-03-31/functions/{FunctionName}/configuration', status: 200, handle: functions.getFunctionConfiguration },
  { name: 'GetFunctionEventInvokeConfig', method: 'GET', path: '/2019-09-25/functions/{FunctionName}/event-invoke-config', status: 200, handle: eventInvoke.getFunctionEventInvokeConfig },
  { name: 'GetFunctionRecursionConfig', method: 'GET', path: '/2024-08-31/functions/{FunctionName}/recursion-config', status: 200, handle: recursion.getFunctionRecursionConfig },
  { name: 'GetFunctionScalingConfig', method: 'GET', path: '/2025-11-30/functions/{FunctionName}/function-scaling-config', status: 200, handle: absent.getFunctionScalingConfig, none: NOT_YET.capacity },
  { name: 'GetFunctionUrlConfig', method: 'GET', path: '/2021-10-31/functions/{FunctionName}/url', status: 200, handle: absent.functionUrlConfig, none: NOT_YET.urls },
  { name: 'GetLayerVersion', method: 'GET', path: '/2018-10-31/layers/{LayerName}/versions/{VersionNumber}', status: 200, handle: layers.getLayerVersion },
  { name: 'GetLayerVersionByArn', method: 'GET', path: '/2018-10-31/layers', query: ['find', 'LayerVersion'], status: 200, handle: layers.getLayerVersionByArn },
  { name: 'GetLayerVersionPolicy', method: 'GET', path: '/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy', status: 200, handle: layers.getLayerVersionPolicy },
  { name: 'GetPolicy', method: 'GET', path: '/2015-03-31/functions/{FunctionName}/policy', status: 200, handle: permissions.getPolicy },
  { name: 'GetProvisionedConcurrencyConfig', method: 'GET', path: '/2019-09-30/functions/{FunctionName}/provisioned-concurrency', status: 200, handle: provisioned.getProvisionedConcurrencyConfig },
  { name: 'GetResourcePolicy', method: 'GET', path: '/2026-07-09/resource-policy/{ResourceArn}', status: 200, handle: permissions.getResourcePolicy },
  { name: 'GetRuntimeManagementConfig', method: 'GET', path: '/2021-07-20/functions/{FunctionName}/runtime-management-config', status: 200, handle: runtimeManagement.getRuntimeManagementConfig },
  { name: 'Invoke', method: 'POST', path: '/2015-03-31/functions/{FunctionName}/invocations', status: 200, invoke: true },
  { name: 'InvokeAsync', method: 'POST', path: '/2014-11-13/functions/{FunctionName}/invoke-async', status: 202, invoke: true },
  { name: 'InvokeWithResponseStream', method: 'POST', path: '/2021-11-15/functions/{FunctionName}/response-streaming-invocations', status: 200, refused: NOT_YET.streaming },
  { name: 'ListAliases', method: 'GET', path: '/2015-03-31/functions/{FunctionName}/aliases', status: 200, handle: aliases.listAliases },
  { name: 'ListCapacityProviders', method: 'GET', path: '/2025-11-30/capacity-providers', status: 200, handle: absent.listCapacityProviders, none: NOT_YET.capacity },
  { name: 'ListCodeSigningConfigs', method: 'GET', path: '/2020-04-22/code-signing-configs', status: 200, handle: codeSigning.listCodeSigningConfigs },
  { name: 'ListDurableExecutionsByFunction', method: 'GET', path: '/2025-12-01/functions/{FunctionName}/durable-executions', status: 200, handle: absent.listDurableExecutionsByFunction, none: NOT_YET.durable },
  { name: 'ListEventSourceMappings', method: 'GET', path: '/2015-03-31/event-source-mappings', status: 200, handle: absent.listEventSourceMappings, none: NOT_YET.mappings },
  { name: 'ListFunctionEventInvokeConfigs', method: 'GET', path: '/2019-09-25/functions/{FunctionName}/event-invoke-config/list', status: 200, handle: eventInvoke.listFunctionEventInvokeConfigs },
  { name: 'ListFunctionUrlConfigs', method: 'GET', path: '/2021-10-31/functions/{FunctionName}/urls', status: 200, handle: absent.listFunctionUrlConfigs, none: NOT_YET.urls },
  { name: 'ListFunctionVersionsByCapacityProvider', method: 'GET', path: '/2025-11-30/capacity-providers/{CapacityProviderName}/function-versions', status: 200, handle: absent.capacityProvider, none: NOT_YET.capacity },
  { name: 'ListFunctions', method: 'GET', path: '/2015-03-31/functions', status: 200, handle: functions.listFunctions },
  { name: 'ListFunctionsByCodeSigningConfig', method: 'GET', path: '/2020-04-22/code-signing-configs/{CodeSigningConfigArn}/functions', status: 200, handle: codeSigning.listFunctionsByCodeSigningConfig },
  { name: 'ListLayerVersions', method: 'GET', path: '/2018-10-31/layers/{LayerName}/versions', status: 200, handle: layers.listLayerVersions },
  { name: 'ListLayers', method: 'GET', path: '/2018-10-31/layers', status: 200, handle: layers.listLayers },
  { name: 'ListProvisionedConcurrencyConfigs', method: 'GET', path: '/2019-09-30/functions/{FunctionName}/provisioned-concurrency', query: ['List', 'ALL'], status: 200, handle: provisioned.listProvisionedConcurrencyConfigs },
  { name: 'ListTags', method: 'GET', path: '/2017-03-31/tags/{Resource}', status: 200, handle: tags.listTags },
  { name: 'ListVersionsByFunction', method: 'GET', path: '/2015-03-31/functions/{FunctionName}/versions', status: 200, handle: versions.listVersionsByFunction },
  { name: 'PauseDurableExecution', method: 'POST', path: '/2025-12-01/durable-executions/{DurableExecutionArn}/pause', status: 202, refused: NOT_YET.durable },
  { name: 'PublishLayerVersion', method: 'POST', path: '/2018-10-31/layers/{LayerName}/versions', status: 201, handle: layers.publishLayerVersion },
  { name: 'PublishVersion', method: 'POST', path: '/2015-03-31/functions/{FunctionName}/versions', status: 201, handle: versions.publishVersion },
  { name: 'PutFunctionCodeSigningConfig', method: 'PUT', path: '/2020-06-30/functions/{FunctionName}/code-signing-config', status: 200, handle: codeSigning.putFunctionCodeSigningConfig },
  { name: 'PutFunctionConcurrency', method: 'PUT', path: '/2017-10-31/functions/{FunctionName}/concurrency', status: 200, handle: concurrency.putFunctionConcurrency },
  { name: 'PutFunctionEventInvokeConfig', method: 'PUT', path: '/2019-09-25/functions/{FunctionName}/event-invoke-config', status: 200, handle: eventInvoke.putFunctionEventInvokeConfig },
  { name: 'PutFunctionRecursionConfig', method: 'PUT', path: '/2024-08-31/functions/{FunctionName}/recursion-config', status: 200, handle: recursion.putFunctionRecursionConfig },
  { name: 'PutFunctionScalingConfig', method: 'PUT', path: '/2025-11-30/functions/{FunctionName}/function-scaling-config', status: 202, refused: NOT_YET.capacity },
  { name: 'PutProvisionedConcurrencyConfig', method: 'PUT', path: '/2019-09-30/functions/{FunctionName}/provisioned-concurrency', status: 202, handle: provisioned.putProvisionedConcurrencyConfig },
  { name: 'PutResourcePolicy', method: 'PUT', path: '/2026-07-09/resource-policy/{ResourceArn}', status: 200, handle: permissions.putResourcePolicy },
  { name: 'PutRuntimeManagementConfig', method: 'PUT', path: '/2021-07-20/functions/{FunctionName}/runtime-management-config', status: 200, handle: runtimeManagement.putRuntimeManagementConfig },
  { name: 'RemoveLayerVersionPermission', method: 'DELETE', path: '/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy/{StatementId}', status: 204, handle: layers.removeLayerVersionPermission },
  { name: 'RemovePermission', method: 'DELETE', path: '/2015-03-31/functions/{FunctionName}/policy/{StatementId}', status: 204, handle: permissions.removePermission },
  { name: 'ResumeDurableExecution', method: 'POST', path: '/2025-12-01/durable-executions/{DurableExecutionArn}/resume', status: 202, refused: NOT_YET.durable },
  { name: 'SendDurableExecutionCallbackFailure', method: 'POST', path: '/2025-12-01/durable-execution-callbacks/{CallbackId}/fail', status: 200, refused: NOT_YET.durable },
  { name: 'SendDurableExecutionCallbackHeartbeat', method: 'POST', path: '/2025-12-01/durable-execution-callbacks/{CallbackId}/heartbeat', status: 200, refused: NOT_YET.durable },
  { name: 'SendDurableExecutionCallbackSuccess', method: 'POST', path: '/2025-12-01/durable-execution-callbacks/{CallbackId}/succeed', status: 200, refused: NOT_YET.durable },
  { name: 'StopDurableExecution', method: 'POST', path: '/2025-12-01/durable-executions/{DurableExecutionArn}/stop', status: 200, refused: NOT_YET.durable },
  { name: 'TagResource', method: 'POST', path: '/2017-03-31/tags/{Resource}', status: 204, handle: tags.tagResource },
  { name: 'UntagResource', method: 'DELETE', path: '/2017-03-31/tags/{Resource}', status: 204, handle: tags.untagResource },
  { name: 'UpdateAlias', method: 'PUT', path: '/2015-03-31/functions/{FunctionName}/aliases/{Name}', status: 200, handle: aliases.updateAlias },
  { name: 'UpdateCapacityProvider', method: 'PUT', path: '/2025-11-30/capacity-providers/{CapacityProviderName}', status: 202, refused: NOT_YET.capacity },
  { name: 'UpdateCodeSigningConfig', method: 'PUT', path: '/2020-04-22/code-signing-configs/{CodeSigningConfigArn}', status: 200, handle: codeSigning.updateCodeSigningConfig },
  { name: 'UpdateEventSourceMapping', method: 'PUT', path: '/2015-03-31/event-source-mappings/{UUID}', status: 202, refused: NOT_YET.mappings },
  { name: 'UpdateFunctionCode', method: 'PUT', path: '/2015-03-31/functions/{FunctionName}/code', status: 200, handle: functions.updateFunctionCode },
  { name: 'UpdateFunctionConfiguration', method: 'PUT', path: '/2015-03-31/functions/{FunctionName}/configuration', status: 200, handle: functions.updateFunctionConfiguration },
  { name: 'UpdateFunctionEventInvokeConfig', method: 'POST', path: '/2019-09-25/functions/{FunctionName}/event-invoke-config', status: 200, handle: eventInvoke.updateFunctionEventInvokeConfig },
  { name: 'UpdateFunctionUrlConfig', method: 'PUT', path: '/2021-10-31/functions/{FunctionName}/url', status: 200, refused: NOT_YET.urls },
]
