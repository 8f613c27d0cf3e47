/** Alias operations. */
import type { Handler } from './services.ts'
import { aliasConfiguration } from './wire.ts'

export const createAlias: Handler = async (request, { control }) => {
  const input = request.body('CreateAlias')
  const { key, qualifier } = request.function('control')
  return aliasConfiguration(key, await control.aliases.create(key, qualifier, input))
}

export const getAlias: Handler = async (request, { control }) => {
  const name = request.path('alias')
  const { key } = request.function('control')
  return aliasConfiguration(key, await control.aliases.get(key, name))
}

export const updateAlias: Handler = async (request, { control }) => {
  const name = request.path('alias')
  const input = request.body('UpdateAlias')
  const { key } = request.function('control')
  return aliasConfiguration(key, await control.aliases.update(key, name, input))
}

export const deleteAlias: Handler = async (request, { control }) => {
  const name = request.path('alias')
  const { key } = request.function('control')
  await control.aliases.delete(key, name)
  return undefined
}

export const listAliases: Handler = async (request, { control }) => {
  const functionVersion = request.query('FunctionVersion')
  const page = request.page()
  const { key } = request.function('control')
  const { items, nextMarker } = await control.aliases.list(key, { ...page, functionVersion })
  return { Aliases: items.map((alias) => aliasConfiguration(key, alias)), NextMarker: nextMarker }
}
