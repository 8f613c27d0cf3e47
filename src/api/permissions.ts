/** Resource policies of functions. */
import { type NamedFunction, resolveFunctionName } from '../lambda/arn.ts'
import { policyDocument } from '../lambda/policy.ts'
import type { OperationRequest } from './parse.ts'
import type { Handler } from './services.ts'
import { bool, required, structure, text } from './shapes.ts'

const REGION = '(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}'

const statementId = { min: 1, max: 100, pattern: '([a-zA-Z0-9-_]+)' }

const permission = structure({
  statementId: required(text(statementId)),
  action: required(text({ min: 0, max: 10_000, pattern: '(lambda:[*]|lambda:[a-zA-Z]+|[*])' })),
  principal: required(text({ min: 0, max: 2048, pattern: '[^\\s]+' })),
  sourceArn: text({
    min: 0,
    max: 10_000,
    pattern: `arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:(${REGION})?:(\\d{12})?:(.*)`,
  }),
  sourceAccount: text({ min: 0, max: 12, pattern: '\\d{12}' }),
  eventSourceToken: text({ min: 0, max: 256, pattern: '[a-zA-Z0-9._\\-]+' }),
  functionUrlAuthType: text({ values: ['NONE', 'AWS_IAM'] }),
  invokedViaFunctionUrl: bool(),
  principalOrgID: text({ min: 12, max: 34, pattern: 'o-[a-z0-9]{10,32}' }),
  revisionId: text(),
})

const revision = text({ min: 36, max: 36, pattern: '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}' })

const resourcePolicy = structure({
  policy: required(text({ min: 1, max: 20_480, pattern: '[\\s\\S]+' })),
  revisionId: revision,
})

const resourceArn = text({
  min: 0,
  max: 256,
  pattern: `arn:(aws[a-zA-Z-]*)?:lambda:${REGION}:\\d{12}:function:[a-zA-Z0-9-_]+(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_])+)?`,
})

export const addPermission: Handler = async (request, { control }) => {
  const input = request.body(permission)
  const { key, qualifier } = request.function('invoke')
  return { Statement: JSON.stringify(await control.permissions.add(key, qualifier, input)) }
}

export const removePermission: Handler = async (request, { control }) => {
  // Statements that a service made for itself may have dots in their ids.
  const sid = request.path('statementId', text({ min: 1, max: 100, pattern: '([a-zA-Z0-9-_.]+)' }))
  const { key, qualifier } = request.function('invoke')
  await control.permissions.remove(key, qualifier, sid, request.c.req.query('RevisionId'))
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
  const { policy, revisionId } = request.body(resourcePolicy)
  const { key, qualifier } = resource(request)
  const changed = await control.permissions.put(key, qualifier, policy, revisionId)
  return { Policy: policyDocument(changed.statements), RevisionId: changed.revisionId }
}

export const deleteResourcePolicy: Handler = async (request, { control }) => {
  const revisionId = request.query('RevisionId', revision)
  const { key, qualifier } = resource(request)
  await control.permissions.delete(key, qualifier, revisionId)
  return undefined
}

/** The function, version or alias that the path's ARN names, after everything else was read. */
function resource(request: OperationRequest): NamedFunction {
  const arn = request.path('resourceArn', resourceArn)
  request.check()
  const action = `lambda:${request.operation}`
  return resolveFunctionName(arn, undefined, request.caller, { pattern: 'invoke', action, granted: request.granted })
}
