/** Tag operations on functions and code-signing configurations; other taggable resources are truthfully not found. */
import type { NamedFunction } from '../lambda/arn.ts'
import { LambdaException } from '../lambda/errors.ts'
import * as inputs from './inputs.ts'
import type { OperationRequest } from './parse.ts'
import type { Handler } from './services.ts'

export const listTags: Handler = async (request, { control }) => {
  const arn = request.path('resource')
  if (isCodeSigningConfig(arn)) return { Tags: await control.codeSigning.tags(request.caller, arn) }
  const { key, qualifier } = taggedFunction(request, arn)
  return { Tags: await control.tags.list(key, qualifier) }
}

export const tagResource: Handler = async (request, { control }) => {
  const arn = request.path('resource')
  const { tags } = request.body(inputs.tagResource)
  if (isCodeSigningConfig(arn)) {
    await control.codeSigning.tag(request.caller, arn, tags)
    return undefined
  }
  const { key, qualifier } = taggedFunction(request, arn)
  await control.tags.add(key, qualifier, tags)
  return undefined
}

export const untagResource: Handler = async (request, { control }) => {
  const arn = request.path('resource')
  const keys = request.queryList('tagKeys')
  if (isCodeSigningConfig(arn)) {
    await control.codeSigning.untag(request.caller, arn, keys)
    return undefined
  }
  const { key, qualifier } = taggedFunction(request, arn)
  await control.tags.remove(key, qualifier, keys)
  return undefined
}

const MISSING: Readonly<Record<string, (arn: string) => string>> = {
  layer: () => 'The resource you requested does not exist.',
  'event-source-mapping': (arn) => `Event source mapping not found: ${arn}`,
  'capacity-provider': (arn) => `Capacity provider not found: ${arn}`,
}

function isCodeSigningConfig(arn: string): boolean {
  return kindOf(arn) === 'code-signing-config'
}

function kindOf(arn: string): string | undefined {
  return arn.split(':')[5]
}

function taggedFunction(request: OperationRequest, arn: string): NamedFunction {
  const missing = MISSING[kindOf(arn) ?? '']
  if (missing) throw new LambdaException('ResourceNotFoundException', missing(arn))
  return request.functionOf(arn)
}
