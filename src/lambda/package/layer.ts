/** Layers as the host keeps them, and their names as callers write them. */
import { partitionOf, type RequestScope } from '../arn.ts'
import type { Architecture, LayerReference } from '../function.ts'
import type { Signing } from './signature.ts'

/** A layer's name within its account and region. */
export interface LayerKey {
  readonly account: string
  readonly region: string
  readonly name: string
}

/** What PublishLayerVersion is given, with the package it stored. */
export interface LayerContent {
  readonly description: string
  readonly codeSha256: string
  /** Bytes of the zip. */
  readonly codeSize: number
  readonly unzippedBytes: number
  /** Absent when the request had none. */
  readonly compatibleRuntimes?: readonly string[]
  readonly compatibleArchitectures?: readonly Architecture[]
  readonly licenseInfo?: string
  /** Who signed it, where that is trusted. */
  readonly signing?: Signing
}

/** Immutable, except for its policy. */
export interface LayerVersion extends LayerKey, LayerContent {
  /** From 1, never used again. */
  readonly version: number
  /** Unix milliseconds. */
  readonly created: number
}

export function layerArn(key: LayerKey): string {
  return `arn:${partitionOf(key.region)}:lambda:${key.region}:${key.account}:layer:${key.name}`
}

export function layerVersionArn(key: LayerKey, version: number | string): string {
  return `${layerArn(key)}:${version}`
}

/** @param value a name or the ARN of a layer; the model's pattern was checked before */
export function layerKeyOf(value: string, scope: RequestScope): LayerKey {
  const parts = value.split(':')
  if (parts.length === 1) return { account: scope.account, region: scope.region, name: value }
  return { region: parts[3] ?? '', account: parts[4] ?? '', name: parts[6] ?? '' }
}

/** `undefined`: one of AWS's own (`arn:…:lambda:::awslayer:…`), which exist nowhere else. The model's pattern was checked before. */
export function parseLayerVersionArn(arn: string): (LayerKey & { readonly version: number }) | undefined {
  const [, , , region = '', account = '', kind, name = '', version = ''] = arn.split(':')
  if (kind !== 'layer') return undefined
  return { account, region, name, version: Number(version) }
}

/** What a function keeps of a layer: enough to run when the layer version was deleted. */
export function referenceTo(layer: LayerVersion): LayerReference {
  return {
    arn: layerVersionArn(layer, layer.version),
    codeSha256: layer.codeSha256,
    codeSize: layer.codeSize,
    unzippedBytes: layer.unzippedBytes,
    ...(layer.signing === undefined ? {} : { signing: layer.signing }),
  }
}

/** The packages that become /opt, in order, as CodeSha256. */
export function layerHashes({ layers }: { readonly layers?: readonly LayerReference[] }): string[] {
  return (layers ?? []).map(({ codeSha256 }) => codeSha256)
}
