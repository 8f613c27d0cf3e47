/** Event-invoke configurations. */
import type { Handler } from './services.ts'
import { eventInvokeConfiguration } from './wire.ts'

export const putFunctionEventInvokeConfig: Handler = async (request, { control }) => {
  const input = request.body('PutFunctionEventInvokeConfig')
  const { key, qualifier: asked } = request.function('control')
  const { qualifier, config } = await control.eventInvoke.put(key, asked, input)
  return eventInvokeConfiguration(key, qualifier, config)
}

export const updateFunctionEventInvokeConfig: Handler = async (request, { control }) => {
  const input = request.body('UpdateFunctionEventInvokeConfig')
  const { key, qualifier: asked } = request.function('control')
  const { qualifier, config } = await control.eventInvoke.update(key, asked, input)
  return eventInvokeConfiguration(key, qualifier, config)
}

export const getFunctionEventInvokeConfig: Handler = async (request, { control }) => {
  const { key, qualifier: asked } = request.function('control')
  const { qualifier, config } = await control.eventInvoke.get(key, asked)
  return eventInvokeConfiguration(key, qualifier, config)
}

export const deleteFunctionEventInvokeConfig: Handler = async (request, { control }) => {
  const { key, qualifier } = request.function('control')
  await control.eventInvoke.delete(key, qualifier)
  return undefined
}

export const listFunctionEventInvokeConfigs: Handler = async (request, { control }) => {
  const page = request.page()
  const { key } = request.function('control')
  const { items, nextMarker } = await control.eventInvoke.list(key, page)
  return {
    FunctionEventInvokeConfigs: items.map(({ qualifier, config }) => eventInvokeConfiguration(key, qualifier, config)),
    NextMarker: nextMarker,
  }
}
