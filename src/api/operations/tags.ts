/** Tag operations on functions and code-signing configurations; other taggable resources are truthfully not found. */
import { capacityProviderNotFound, mappingNotFound } from '../../control/absent.ts'
import type { LambdaException } from '../../lambda/errors.ts'
import { resourceNotFound } from '../../lambda/refusals.ts'
import type { OperationRequest } from './parse.ts'
import type { Handler, Services } from './services.ts'

export const listTags: Handler = async (request, services) => ({ Tags: await tagged(request, services).list() })

export const tagResource: Handler = async (request, services) => {
  const { tags } = request.body('TagResource')
  await tagged(request, services).add(tags)
  return undefined
}

export const untagResource: Handler = async (request, services) => {
  await tagged(request, services).remove(request.queryList('tagKeys'))
  return undefined
}

interface Tagged {
  list(): Promise<Readonly<Record<string, string>>>
  add(tags: Readonly<Record<string, string>>): Promise<void>
  remove(keys: readonly string[]): Promise<void>
}

const MISSING: Readonly<Record<string, (arn: string) => LambdaException>> = {
  layer: () => resourceNotFound(),
  'event-source-mapping': mappingNotFound,
  'capacity-provider': capacityProviderNotFound,
}

/** The resource that the path's ARN names. @throws LambdaException ResourceNotFoundException for a kind that has no tags here */
function tagged(request: OperationRequest, { control: { tags, codeSigning } }: Services): Tagged {
  const { caller } = request
  const arn = request.path('resource')
  const [, , , , , kind = ''] = arn.split(':')
  if (kind === 'code-signing-config') {
    return {
      list: () => codeSigning.tags(caller, arn),
      add: (added) => codeSigning.tag(caller, arn, added),
      remove: (keys) => codeSigning.untag(caller, arn, keys),
    }
  }
  const missing = MISSING[kind]
  if (missing) throw missing(arn)
  const { key, qualifier } = request.functionOf(arn)
  return {
    list: () => tags.list(key, qualifier),
    add: (added) => tags.add(key, qualifier, added),
    remove: (keys) => tags.remove(key, qualifier, keys),
  }
}
