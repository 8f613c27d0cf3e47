/** Version operations. */
import { functionArn } from '../../lambda/arn.ts'
import type { Handler } from './services.ts'
import { functionConfiguration, listedConfiguration } from './wire.ts'

export const publishVersion: Handler = async (request, { control }) => {
  const input = request.body('PublishVersion')
  const { key, qualifier } = request.function('control')
  const version = await control.versions.publish(key, qualifier, input)
  return functionConfiguration(version, functionArn(key, version.version), control.images)
}

export const listVersionsByFunction: Handler = async (request, { control }) => {
  const page = request.page()
  const { key } = request.function('invoke')
  const { items, nextMarker } = await control.versions.list(key, page)
  return {
    Versions: items.map((version) => listedConfiguration(version, functionArn(version, version.version))),
    NextMarker: nextMarker,
  }
}
