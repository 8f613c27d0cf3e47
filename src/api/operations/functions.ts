/** Function operations: requests to the control plane's members and its values to answers. */
import { functionArn } from '../../lambda/arn.ts'
import { type PackageReference, packageOf } from '../../lambda/package/package.ts'
import type { OperationRequest } from './parse.ts'
import type { Handler, Services } from './services.ts'
import { decryptionError, functionConfiguration, listedConfiguration } from './wire.ts'

export const createFunction: Handler = async (request, { control }) => {
  const input = request.body('CreateFunction')
  const { key, qualifier } = request.function('control', input.functionName)
  const { latest, published } = await control.functions.create(key, qualifier, input)
  // Recorded: the ARN stays unqualified although Version is a number.
  return functionConfiguration(published ?? latest, functionArn(key), control.images)
}

export const getFunction: Handler = async (request, { control, codeLocation }) => {
  const { key, qualifier } = request.function('invoke')
  const { version, tags, reservedConcurrency, packageError } = await control.functions.get(key, qualifier)
  return {
    Configuration: functionConfiguration(version, functionArn(key, qualifier), control.images),
    Code: version.image
      ? { RepositoryType: 'ECR', ImageUri: version.image.uri, ResolvedImageUri: version.image.resolvedUri }
      : {
          RepositoryType: 'S3',
          ...(packageError === undefined
            ? downloadOf(request, codeLocation, packageOf(version))
            : { Error: decryptionError(packageError) }),
          SourceKMSKeyArn: version.sourceKmsKeyArn,
        },
    Tags: Object.keys(tags).length === 0 ? undefined : tags,
    Concurrency: reservedConcurrency === undefined ? undefined : { ReservedConcurrentExecutions: reservedConcurrency },
  }
}

function downloadOf(request: OperationRequest, codeLocation: Services['codeLocation'], reference: PackageReference) {
  if (codeLocation !== undefined) return { Location: codeLocation.url(request.c, reference) }
  return { Error: { ErrorCode: 'AccessDeniedException', Message: 'Functions cannot download packages.' } }
}

export const getFunctionConfiguration: Handler = async (request, { control }) => {
  const { key, qualifier } = request.function('invoke')
  const { version } = await control.functions.get(key, qualifier)
  return functionConfiguration(version, functionArn(key, qualifier), control.images)
}

export const listFunctions: Handler = async (request, { control }) => {
  const masterRegion = request.query('MasterRegion')
  const allVersions = request.query('FunctionVersion') === 'ALL'
  const page = request.page()
  const { account, region } = request.caller
  const { items, nextMarker } = await control.functions.list(account, region, { ...page, allVersions, masterRegion })
  return {
    Functions: items.map((version) =>
      listedConfiguration(version, functionArn(version, allVersions ? version.version : undefined)),
    ),
    NextMarker: nextMarker,
  }
}

export const updateFunctionCode: Handler = async (request, { control }) => {
  const input = request.body('UpdateFunctionCode')
  const { key, qualifier } = request.function('control')
  const { latest, published } = await control.functions.updateCode(key, qualifier, input)
  return published
    ? functionConfiguration(published, functionArn(key, published.version), control.images)
    : functionConfiguration(latest, functionArn(key), control.images)
}

export const updateFunctionConfiguration: Handler = async (request, { control }) => {
  const input = request.body('UpdateFunctionConfiguration')
  const { key, qualifier } = request.function('control')
  const latest = await control.functions.updateConfiguration(key, qualifier, input)
  return functionConfiguration(latest, functionArn(key), control.images)
}

export const deleteFunction: Handler = async (request, { control }) => {
  const { key, qualifier } = request.function('invoke')
  await control.functions.delete(key, qualifier)
  return undefined
}
