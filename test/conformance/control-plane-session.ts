/** What the tests of the control plane share: a host for their file, a client that remembers its last answer, functions to work on. */
import { CreateFunctionCommand, type CreateFunctionCommandInput } from '@aws-sdk/client-lambda'
import { afterAll } from 'vitest'
import { type ControlPlaneHostOptions, startControlPlaneHost } from './control-plane-host.ts'

export const ROLE = 'arn:aws:iam::111111111111:role/r'

export const arn = (rest: string) => `arn:aws:lambda:us-east-1:111111111111:function:${rest}`

/** What the stand-in for packages takes for a zip. */
export const zip = (text = 'a') => Buffer.from(`PK${text}`)

/** Started at once and closed after the tests of the file. */
export async function controlPlane(options: ControlPlaneHostOptions = {}) {
  const host = await startControlPlaneHost(options)
  afterAll(() => host.close())
  const lambda = host.client()
  let names = 0
  const newName = () => `f-${++names}`

  const request = (changes: Partial<CreateFunctionCommandInput> = {}): CreateFunctionCommandInput => ({
    FunctionName: newName(),
    Runtime: 'python3.12',
    Role: ROLE,
    Handler: 'handler.handler',
    Code: { ZipFile: zip() },
    ...changes,
  })

  return {
    host,
    lambda,
    newName,
    request,
    /** Its name, once it is Active. */
    async create(changes: Partial<CreateFunctionCommandInput> = {}): Promise<string> {
      const input = request(changes)
      await lambda.send(new CreateFunctionCommand(input))
      await host.settled()
      return input.FunctionName ?? ''
    },
    /** The body of the last answer. */
    answered: () => JSON.parse(lambda.last().body) as Record<string, unknown>,
  }
}
