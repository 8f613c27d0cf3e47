/** Resource policies of functions. */
import { type NamedFunction, resolveFunctionName } from '../lambda/arn.ts'
import { policyDocument } from '../lambda/policy.ts'
import * as inputs from './inputs.ts'
import type { OperationRequest } from './parse.ts'
import type { Handler } from './services.ts'

export const addPermission: Handler = async (request, { control }) => {
  const input = request.body(inputs.addPermission)
  const { key, qualifier } = request.function('invoke')
  return { Statement: JSON.stringify(await control.permissions.add(key, qualifier, input)) }
}

export const removePermission: Handler = async (request, { control }) => {
  const sid = request.path('statementId')
  const { key, qualifier } = request.function('invoke')
  await control.permissions.remove(key, qualifier, sid, request.query('RevisionId'))
  return undefined
}

export const getPolicy: Handler = async (request, { control }) => {
  const { key, qualifier } = request.function('invoke')
  const { statements, revisionId } = await control.permissions.get(key, qualifier)
  return { Policy: policyDocument(statements), RevisionId: revisionId }
}

export const getResourcePolicy: Handler = async (request, { control }) => {
  const { key, qualifier } = resource(request)
  const { statements, revisionId } = await control.permissions.get(key, qualifier)
  return { Policy: policyDocument(statements), RevisionId: revisionId }
}

export const putResourcePolicy: Handler = async (request, { control }) => {
  const { policy, revisionId } = request.body(inputs.putResourcePolicy)
  const { key, qualifier } = resource(request)
  const changed = await control.permissions.put(key, qualifier, policy, revisionId)
  return { Policy: policyDocument(changed.statements), RevisionId: changed.revisionId }
}

export const deleteResourcePolicy: Handler = async (request, { control }) => {
  const revisionId = request.query('RevisionId')
  const { key, qualifier } = resource(request)
  await control.permissions.delete(key, qualifier, revisionId)
  return undefined
}

/** The function, version or alias that the path's ARN names. */
function resource(request: OperationRequest): NamedFunction {
  const action = `lambda:${request.operation}`
  return resolveFunctionName(request.path('resourceArn'), undefined, request.caller, {
    pattern: 'invoke',
    action,
    granted: request.granted,
  })
}
