/** Layer operations. */
import { type LayerVersion, layerArn, layerVersionArn } from '../../lambda/package/layer.ts'
import { policyDocument } from '../../lambda/policy/policy.ts'
import type { OperationRequest } from './parse.ts'
import type { Handler, Services } from './services.ts'
import { signer, stringDate } from './wire.ts'

export const publishLayerVersion: Handler = async (request, services) => {
  const name = request.path('layerName')
  const input = request.body('PublishLayerVersion')
  const layer = await services.control.layers.publish(request.caller, name, input)
  return layerVersion(request, services, layer)
}

export const getLayerVersion: Handler = async (request, services) => {
  const { name, version } = named(request)
  return layerVersion(request, services, await services.control.layers.get(request.caller, name, version))
}

export const getLayerVersionByArn: Handler = async (request, services) => {
  const arn = request.query('Arn') ?? ''
  return layerVersion(request, services, await services.control.layers.getByArn(request.caller, arn))
}

export const listLayers: Handler = async (request, { control }) => {
  const filter = filterOf(request)
  const page = request.page()
  const { items, nextMarker } = await control.layers.list(request.caller, { ...page, ...filter })
  return {
    Layers: items.map((layer) => ({
      LayerName: layer.name,
      LayerArn: layerArn(layer),
      LatestMatchingVersion: listedVersion(layer),
    })),
    NextMarker: nextMarker,
  }
}

export const listLayerVersions: Handler = async (request, { control }) => {
  const name = request.path('layerName')
  const filter = filterOf(request)
  const page = request.page()
  const { items, nextMarker } = await control.layers.listVersions(request.caller, name, { ...page, ...filter })
  return { LayerVersions: items.map(listedVersion), NextMarker: nextMarker }
}

export const deleteLayerVersion: Handler = async (request, { control }) => {
  const { name, version } = named(request)
  await control.layers.delete(request.caller, name, version)
  return undefined
}

export const addLayerVersionPermission: Handler = async (request, { control }) => {
  const input = request.body('AddLayerVersionPermission')
  const { name, version } = named(request)
  const revision = request.query('RevisionId')
  const { statement, revisionId } = await control.layerPermissions.add(request.caller, name, version, input, revision)
  return { Statement: JSON.stringify(statement), RevisionId: revisionId }
}

export const removeLayerVersionPermission: Handler = async (request, { control }) => {
  const sid = request.path('statementId')
  const { name, version } = named(request)
  await control.layerPermissions.remove(request.caller, name, version, sid, request.query('RevisionId'))
  return undefined
}

export const getLayerVersionPolicy: Handler = async (request, { control }) => {
  const { name, version } = named(request)
  const { statements, revisionId } = await control.layerPermissions.get(request.caller, name, version)
  return { Policy: policyDocument(statements), RevisionId: revisionId }
}

/** The layer version that the path names. */
function named(request: OperationRequest): { readonly name: string; readonly version: number } {
  const name = request.path('layerName')
  const version = Number(request.path('versionNumber'))
  return { name, version }
}

function filterOf(request: OperationRequest): { readonly runtime?: string; readonly architecture?: string } {
  const runtime = request.query('CompatibleRuntime')
  const architecture = request.query('CompatibleArchitecture')
  return { runtime, architecture }
}

function layerVersion(request: OperationRequest, { codeLocation }: Services, layer: LayerVersion) {
  return {
    Content: {
      Location: codeLocation?.url(request.c, { codeSha256: layer.codeSha256 }),
      CodeSha256: layer.codeSha256,
      CodeSize: layer.codeSize,
      ...signer(layer.signing),
    },
    LayerArn: layerArn(layer),
    ...listedVersion(layer),
  }
}

function listedVersion(layer: LayerVersion) {
  return {
    LayerVersionArn: layerVersionArn(layer, layer.version),
    Description: layer.description,
    CreatedDate: stringDate(layer.created),
    Version: layer.version,
    CompatibleRuntimes: layer.compatibleRuntimes,
    LicenseInfo: layer.licenseInfo,
    CompatibleArchitectures: layer.compatibleArchitectures,
  }
}
