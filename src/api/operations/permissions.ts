/** Resource policies of functions. */
import { policyDocument } from '../../lambda/policy/policy.ts'
import type { Handler } from './services.ts'

export const addPermission: Handler = async (request, { control }) => {
  const input = request.body('AddPermission')
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
  const { key, qualifier } = request.functionOf(request.path('resourceArn'))
  const { statements, revisionId } = await control.permissions.get(key, qualifier)
  return { Policy: policyDocument(statements), RevisionId: revisionId }
}

export const putResourcePolicy: Handler = async (request, { control }) => {
  const { policy, revisionId } = request.body('PutResourcePolicy')
  const { key, qualifier } = request.functionOf(request.path('resourceArn'))
  const changed = await control.permissions.put(key, qualifier, policy, revisionId)
  return { Policy: policyDocument(changed.statements), RevisionId: changed.revisionId }
}

export const deleteResourcePolicy: Handler = async (request, { control }) => {
  const revisionId = request.query('RevisionId')
  const { key, qualifier } = request.functionOf(request.path('resourceArn'))
  await control.permissions.delete(key, qualifier, revisionId)
  return undefined
}
