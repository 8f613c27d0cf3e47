/** Operations on a function that its resource policy may grant to another account. Invoke asks the policy itself. */
import type { Context } from 'hono'
import type { Permissions } from '../control/policies/permissions.ts'
import { parseFunctionName } from '../lambda/arn.ts'
import type { Caller } from './http/caller.ts'

/** Source: developer guide, "Granting Lambda function access to other accounts". */
const GRANTABLE: ReadonlySet<string> = new Set([
  'CreateAlias',
  'DeleteAlias',
  'DeleteFunction',
  'DeleteFunctionConcurrency',
  'GetAlias',
  'GetFunction',
  'GetFunctionConcurrency',
  'GetFunctionConfiguration',
  'GetPolicy',
  'ListAliases',
  'ListTags',
  'ListVersionsByFunction',
  'PublishVersion',
  'PutFunctionConcurrency',
  'TagResource',
  'UntagResource',
  'UpdateAlias',
  'UpdateFunctionCode',
])

/** Whether the policy of the function that the request names lets its caller, who has another account, do this. Never throws a refusal. */
export async function grantedToOther(
  operation: string,
  c: Context,
  caller: Caller,
  permissions: Permissions,
): Promise<boolean> {
  const name = c.req.param('name') ?? c.req.param('resource')
  if (name === undefined || !GRANTABLE.has(operation)) return false
  // What is wrong with the name is said by the operation, together with everything else.
  const parsed = parseFunctionName(name, 'invoke')
  if (parsed?.account === undefined || parsed.account === caller.account) return false
  if (parsed.region !== undefined && parsed.region !== caller.region) return false
  const key = { account: parsed.account, region: caller.region, name: parsed.name }
  const qualifier = c.req.query('Qualifier') ?? parsed.qualifier
  return permissions.allows(key, qualifier, { account: caller.account, action: `lambda:${operation}` })
}
