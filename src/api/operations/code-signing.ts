/** Operations of code-signing configurations. */
import { functionArn } from '../../lambda/arn.ts'
import { type CodeSigningConfig, codeSigningConfigArn } from '../../lambda/package/code-signing.ts'
import type { OperationRequest } from './parse.ts'
import type { Handler } from './services.ts'
import { stringDate } from './wire.ts'

export const createCodeSigningConfig: Handler = async (request, { control }) => {
  const input = request.body('CreateCodeSigningConfig')
  return { CodeSigningConfig: configuration(await control.codeSigning.create(request.caller, input)) }
}

export const getCodeSigningConfig: Handler = async (request, { control }) => {
  const arn = named(request)
  return { CodeSigningConfig: configuration(await control.codeSigning.get(request.caller, arn)) }
}

export const updateCodeSigningConfig: Handler = async (request, { control }) => {
  const input = request.body('UpdateCodeSigningConfig')
  const arn = named(request)
  return { CodeSigningConfig: configuration(await control.codeSigning.update(request.caller, arn, input)) }
}

export const deleteCodeSigningConfig: Handler = async (request, { control }) => {
  await control.codeSigning.delete(request.caller, named(request))
  return undefined
}

export const listCodeSigningConfigs: Handler = async (request, { control }) => {
  const page = request.page()
  const { items, nextMarker } = await control.codeSigning.list(request.caller, page)
  return { CodeSigningConfigs: items.map(configuration), NextMarker: nextMarker }
}

export const listFunctionsByCodeSigningConfig: Handler = async (request, { control }) => {
  const page = request.page()
  const { items, nextMarker } = await control.codeSigning.functions(request.caller, named(request), page)
  return { FunctionArns: items.map((key) => functionArn(key)), NextMarker: nextMarker }
}

export const putFunctionCodeSigningConfig: Handler = async (request, { control }) => {
  const { codeSigningConfigArn: arn } = request.body('PutFunctionCodeSigningConfig')
  const { key, qualifier } = request.function('control')
  await control.codeSigning.attach(key, qualifier, arn)
  return { CodeSigningConfigArn: arn, FunctionName: key.name }
}

/** Recorded: without one the answer is empty, and has no FunctionName. */
export const getFunctionCodeSigningConfig: Handler = async (request, { control }) => {
  const { key, qualifier } = request.function('control')
  const config = await control.codeSigning.ofFunction(key, qualifier)
  return config === undefined ? {} : { CodeSigningConfigArn: codeSigningConfigArn(config), FunctionName: key.name }
}

export const deleteFunctionCodeSigningConfig: Handler = async (request, { control }) => {
  const { key, qualifier } = request.function('control')
  await control.codeSigning.detach(key, qualifier)
  return undefined
}

/** The configuration that the path names. */
function named(request: OperationRequest): string {
  return request.path('codeSigningConfigArn')
}

function configuration(config: CodeSigningConfig) {
  return {
    CodeSigningConfigId: config.id,
    CodeSigningConfigArn: codeSigningConfigArn(config),
    Description: config.description,
    AllowedPublishers: { SigningProfileVersionArns: config.publishers },
    CodeSigningPolicies: { UntrustedArtifactOnDeployment: config.policy },
    LastModified: stringDate(config.lastModified),
  }
}
