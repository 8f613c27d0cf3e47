/** Reserved concurrency operations. */
import type { Handler } from './services.ts'

export const putFunctionConcurrency: Handler = async (request, { control }) => {
  const { reservedConcurrentExecutions } = request.body('PutFunctionConcurrency')
  const { key, qualifier } = request.function('control')
  await control.concurrency.put(key, qualifier, reservedConcurrentExecutions)
  return { ReservedConcurrentExecutions: reservedConcurrentExecutions }
}

export const getFunctionConcurrency: Handler = async (request, { control }) => {
  const { key, qualifier } = request.function('control')
  return { ReservedConcurrentExecutions: await control.concurrency.get(key, qualifier) }
}

export const deleteFunctionConcurrency: Handler = async (request, { control }) => {
  const { key, qualifier } = request.function('control')
  await control.concurrency.delete(key, qualifier)
  return undefined
}
