/** Get- and PutFunctionRecursionConfig. */
import type { Handler } from './services.ts'

export const putFunctionRecursionConfig: Handler = async (request, { control }) => {
  const { recursiveLoop } = request.body('PutFunctionRecursionConfig')
  const { key, qualifier } = request.function('control')
  await control.recursion.put(key, qualifier, recursiveLoop)
  return { RecursiveLoop: recursiveLoop }
}

export const getFunctionRecursionConfig: Handler = async (request, { control }) => {
  const { key, qualifier } = request.function('control')
  return { RecursiveLoop: await control.recursion.get(key, qualifier) }
}
