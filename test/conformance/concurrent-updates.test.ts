/** Two clients that change one function at the same time, as two pipelines do: read, change, write with the RevisionId that was read. */
import {
  GetFunctionConfigurationCommand,
  type LambdaClient,
  LambdaServiceException,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda'
import { describe, expect, it } from 'vitest'
import { controlPlane } from './control-plane-session.ts'

const UPDATES = 500

const { host, create } = await controlPlane()

const DOCUMENTED: Readonly<Record<string, number>> = {
  ResourceConflictException: 409,
  PreconditionFailedException: 412,
}

/** Tries until it is done; every refusal on the way must be one that the API documents for a change that came too late. */
async function insist(refusals: string[], attempt: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await attempt()
      return
    } catch (error) {
      if (!(error instanceof LambdaServiceException)) throw error
      expect(DOCUMENTED[error.name], `${error.name}: ${error.message}`).toBe(error.$metadata.httpStatusCode)
      refusals.push(error.name)
      // The other client's turn: without it both could refuse each other in step.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 4))
    }
  }
}

describe('two clients that update one function', () => {
  it(`lose none of ${UPDATES} updates, and are refused with 409 or 412 only`, { timeout: 300_000 }, async () => {
    const FunctionName = await create({ Environment: { Variables: { COUNT: '0' } } })
    const refusals: string[] = []
    const increment = (client: LambdaClient) => async () => {
      const { Environment, RevisionId } = await client.send(new GetFunctionConfigurationCommand({ FunctionName }))
      const COUNT = String(Number(Environment?.Variables?.COUNT) + 1)
      await client.send(
        new UpdateFunctionConfigurationCommand({ FunctionName, RevisionId, Environment: { Variables: { COUNT } } }),
      )
    }
    const pipeline = async () => {
      const client = host.client()
      for (let i = 0; i < UPDATES / 2; i++) await insist(refusals, increment(client))
    }
    await Promise.all([pipeline(), pipeline()])
    await host.settled()
    const last = await host.client().send(new GetFunctionConfigurationCommand({ FunctionName }))
    expect(last).toMatchObject({
      Environment: { Variables: { COUNT: String(UPDATES) } },
      State: 'Active',
      LastUpdateStatus: 'Successful',
    })
    expect(refusals.length).toBeGreaterThan(0)
  })

  it('without RevisionId are refused while the other update is in progress, and what was accepted is kept', async () => {
    const FunctionName = await create()
    const [one, other] = [host.client(), host.client()]
    const release = host.images.hold()
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        i % 2 === 0
          ? one.send(new UpdateFunctionConfigurationCommand({ FunctionName, MemorySize: 200 + i }))
          : other.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: Buffer.from(`PK${i}`) })),
      ),
    )
    release()
    await host.settled()
    const accepted = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []))
    expect(accepted).toHaveLength(1)
    expect(new Set(refused.map(({ name }) => name))).toEqual(new Set(['ResourceConflictException']))
    const last = await one.send(new GetFunctionConfigurationCommand({ FunctionName }))
    expect(last).toMatchObject({
      MemorySize: accepted[0]?.MemorySize,
      CodeSha256: accepted[0]?.CodeSha256,
      LastUpdateStatus: 'Successful',
    })
  })
})
