import { describe, expect, it } from 'vitest'
import { EnvironmentPool, type PoolSettings } from '../../../src/execution/pool/pool.ts'
import { BufferedAnswer } from '../../../src/invoke/buffered-answer.ts'
import { Concurrency } from '../../../src/invoke/concurrency.ts'
import { type InvokeRequest, Invoker } from '../../../src/invoke/invoke.ts'
import { Resolver } from '../../../src/invoke/resolve.ts'
import type { LambdaException } from '../../../src/lambda/errors.ts'
import { withRound } from '../../../src/lambda/events/lineage.ts'
import type { FunctionVersion } from '../../../src/lambda/function.ts'
import type { Statement } from '../../../src/lambda/policy/policy.ts'
import { SandboxError } from '../../../src/sandbox/driver.ts'
import { RecentChanges } from '../../../src/store/catalogue/recent-changes.ts'
import type { EventQueueStore, NewEvent } from '../../../src/store/event-queue-store.ts'
import { EventBus } from '../../../src/telemetry/events.ts'
import { type FakeHostOptions, fakeHost, validVersion } from '../execution/fake-host.ts'

const key = { account: '000000000000', region: 'us-east-1', name: 'f' }

function invoker(
  version: FunctionVersion | undefined,
  options: FakeHostOptions = {},
  limit = 10,
  policy?: readonly Statement[],
  settings: Partial<PoolSettings> = {},
) {
  const fake = fakeHost(options)
  const bus = new EventBus()
  const concurrency = new Concurrency({ accountLimit: limit })
  const put: NewEvent[] = []
  const failures: { exception: LambdaException; remedy: string }[] = []
  const invoke = new Invoker({
    resolver: new Resolver(
      {
        find: () => Promise.resolve(version && { versions: [{ version, weight: 1 }], ...(policy ? { policy } : {}) }),
        reservations: () => Promise.resolve(new Map()),
        provisioned: () => Promise.resolve(new Map()),
        changes: new RecentChanges(),
      },
      concurrency,
    ),
    concurrency,
    pool: new EnvironmentPool(fake.host, {
      idleTimeoutMs: 1000,
      maxEnvironments: 10,
      waitForEnvironmentMs: 1000,
      ...settings,
    }),
    queue: { put: (event: NewEvent) => Promise.resolve(void put.push(event)) } as unknown as EventQueueStore,
    bus,
    logFailure: (_key, exception, remedy) => failures.push({ exception, remedy }),
    wakeQueue: () => {},
    clock: Date.now,
  })
  return {
    ...fake,
    invoke: async (request: Partial<InvokeRequest> = {}) => {
      const answer = new BufferedAnswer()
      const result = await invoke.invoke(asked(request), answer)
      return result.type === 'RequestResponse' ? { ...result, result: answer.result } : result
    },
    put,
    failures,
    concurrency,
    bus,
  }
}

function asked(request: Partial<InvokeRequest>): InvokeRequest {
  return {
    caller: { kind: 'account', account: key.account },
    key,
    qualifier: undefined,
    requestId: 'id-1',
    invocationType: 'RequestResponse',
    tail: false,
    clientContext: undefined,
    traceHeader: 'Root=1',
    payload: Buffer.from('{}'),
    ...request,
  }
}

const notJson = { payload: Buffer.from('{') }

describe('Invoke in a chain that came by often', () => {
  const chain = (rounds: number) => {
    let header = 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700'
    for (let round = 0; round < rounds; round++) header = withRound(header, key)
    return header
  }

  it('is stopped after 16 rounds, takes no permit, and is queued all the same as an event', async () => {
    const { invoke, put, concurrency } = invoker(validVersion())
    await expect(invoke({ traceHeader: chain(16) })).rejects.toMatchObject({
      name: 'RecursiveInvocationException',
      status: 400,
    })
    expect(concurrency.running(key)).toBe(0)
    expect(await invoke({ traceHeader: chain(16), invocationType: 'Event' })).toEqual({ type: 'Event' })
    expect(put).toHaveLength(1)
  })
})

describe('Invoke of a function that grows too fast', () => {
  it('is throttled, counts as such, and keeps no permit', async () => {
    const never = { event: () => {} }
    const { invoke, concurrency, bus } = invoker(validVersion(), { behaviour: never }, 10, undefined, {
      scalingRate: 1,
      now: () => 0,
    })
    const reasons: string[] = []
    bus.subscribe((event) => {
      if (event.type === 'invocation.throttled') reasons.push(event.reason)
    })
    void invoke()
    await expect(invoke()).rejects.toMatchObject({
      name: 'TooManyRequestsException',
      detail: { members: { Reason: 'ConcurrentInvocationLimitExceeded' } },
    })
    expect(concurrency.running(key)).toBe(1)
    expect(reasons).toEqual(['ConcurrentInvocationLimitExceeded'])
  })
})

describe('Invoke of another account', () => {
  const caller = { kind: 'account', account: '222222222222' } as const
  const arn = 'arn:aws:lambda:us-east-1:000000000000:function:f'
  const grant = (changes: Partial<Statement> = {}): readonly Statement[] => [
    { Effect: 'Allow', Principal: { AWS: caller.account }, Action: 'lambda:InvokeFunction', Resource: arn, ...changes },
  ]

  it.each([
    ['there is no policy', undefined, undefined],
    ['the policy names another account', grant({ Principal: { AWS: '333333333333' } }), undefined],
    ['the policy grants another action', grant({ Action: 'lambda:GetFunction' }), undefined],
    ['the policy is that of another qualifier', grant(), 'live'],
  ] as const)('is refused when %s', async (_when, policy, qualifier) => {
    const { invoke, runtimes } = invoker(validVersion(), {}, 10, policy)
    await expect(invoke({ caller, qualifier, ...notJson })).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: `User: arn:aws:iam::222222222222:root is not authorized to perform: lambda:InvokeFunction on resource: ${arn}${qualifier ? `:${qualifier}` : ''} because no resource-based policy allows the lambda:InvokeFunction action`,
    })
    expect(runtimes).toHaveLength(0)
  })

  it('does not tell whether the function exists', async () => {
    const { invoke } = invoker(undefined)
    await expect(invoke({ caller })).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })

  it.each([
    [grant(), undefined],
    [grant({ Principal: '*' }), '$LATEST'],
    [grant({ Resource: `${arn}:live` }), 'live'],
  ] as const)('is queued or run when the policy grants it: %j', async (policy, qualifier) => {
    const { invoke, put } = invoker(validVersion(), {}, 10, policy)
    expect(await invoke({ caller, qualifier, invocationType: 'DryRun' })).toEqual({ type: 'DryRun' })
    expect(await invoke({ caller, qualifier, invocationType: 'Event' })).toEqual({ type: 'Event' })
    expect(put).toHaveLength(1)
  })
})

describe('Invoke by a service', () => {
  const arn = 'arn:aws:lambda:us-east-1:000000000000:function:f'
  const caller = {
    kind: 'service',
    service: 'events',
    sourceArn: 'arn:aws:events:us-east-1:000000000000:rule/nightly',
    sourceAccount: '000000000000',
  } as const
  const statement: Statement = {
    Effect: 'Allow',
    Principal: { Service: 'events.amazonaws.com' },
    Action: 'lambda:InvokeFunction',
    Resource: arn,
    Condition: { ArnLike: { 'AWS:SourceArn': caller.sourceArn } },
  }

  it('is run when the policy grants it, and needs the grant in its own account, too', async () => {
    const granted = invoker(validVersion(), {}, 10, [statement])
    expect(await granted.invoke({ caller, invocationType: 'Event' })).toEqual({ type: 'Event' })
    const other = { ...caller, sourceArn: 'arn:aws:events:us-east-1:000000000000:rule/hourly' }
    await expect(granted.invoke({ caller: other, invocationType: 'Event' })).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: `The service events.amazonaws.com is not authorized to perform: lambda:InvokeFunction on resource: ${arn} because no resource-based policy allows the lambda:InvokeFunction action for ${other.sourceArn}`,
    })
    await expect(invoker(validVersion()).invoke({ caller })).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })
})

describe('Invoke', () => {
  it('names the qualifier $LATEST when a function that nobody qualified does not exist', async () => {
    const { invoke } = invoker(undefined)
    await expect(invoke(notJson)).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST',
    })
  })

  it.each([
    ['Pending', 'ResourceConflictException', 409],
    ['Failed', 'ResourceConflictException', 409],
    ['Inactive', 'ResourceNotReadyException', 502],
  ] as const)(
    'of a function in state %s is refused with %s, before its payload is looked at',
    async (state, name, status) => {
      const { invoke } = invoker(validVersion({ state }))
      await expect(invoke(notJson)).rejects.toMatchObject({ name, status })
      if (state !== 'Inactive') {
        await expect(invoke()).rejects.toThrow(
          `The operation cannot be performed at this time. The function is currently in the following state: ${state}`,
        )
      }
    },
  )

  it.each([
    [{ tenantId: 'blue' }, 'The invoked function is not enabled with tenancy configuration. Remove the tenant ID'],
    [{ durableExecutionName: 'a' }, 'The invoked function is not enabled with durable configuration. Remove the'],
  ])('refuses what functions of another kind take: %o', async (given, message) => {
    const { invoke, put } = invoker(validVersion())
    for (const invocationType of ['RequestResponse', 'Event', 'DryRun'] as const) {
      await expect(invoke({ ...given, invocationType })).rejects.toMatchObject({
        name: 'InvalidParameterValueException',
        message: expect.stringContaining(message),
      })
    }
    expect(put).toEqual([])
  })

  it('checks the payload for a DryRun too, and starts nothing', async () => {
    const { invoke, runtimes } = invoker(validVersion())
    await expect(invoke({ ...notJson, invocationType: 'DryRun' })).rejects.toMatchObject({
      name: 'InvalidRequestContentException',
    })
    expect(await invoke({ invocationType: 'DryRun' })).toEqual({ type: 'DryRun' })
    expect(runtimes).toHaveLength(0)
  })

  it('queues an Event whatever the concurrency, with its request id and qualifier', async () => {
    const { invoke, put } = invoker(validVersion(), {}, 0)
    expect(await invoke({ invocationType: 'Event', qualifier: 'live' })).toEqual({ type: 'Event' })
    expect(put).toMatchObject([{ requestId: 'id-1', qualifier: 'live', function: key }])
    await expect(invoke()).rejects.toMatchObject({ name: 'TooManyRequestsException' })
  })

  it('releases the permit whatever the end', async () => {
    let refuse = true
    const { invoke, concurrency } = invoker(validVersion(), {
      refuseStart: () => (refuse ? new Error('defect') : undefined),
    })
    await expect(invoke()).rejects.toMatchObject({ name: 'ServiceException' })
    refuse = false
    expect(await invoke()).toMatchObject({ result: { ok: true } })
    expect(concurrency.total()).toBe(0)
  })

  it.each([
    ['access-denied', 'EC2AccessDeniedException'],
    ['throttled', 'EC2ThrottledException'],
    ['image-missing', 'InvalidRuntimeException'],
    ['code-missing', 'InvalidZipFileException'],
    ['unexpected', 'EC2UnexpectedException'],
    ['subnet-missing', 'InvalidSubnetIDException'],
    ['security-group-missing', 'InvalidSecurityGroupIDException'],
    ['addresses-exhausted', 'SubnetIPAddressLimitReachedException'],
    ['attachments-exhausted', 'ENILimitReachedException'],
    ['mount-failed', 'EFSMountFailureException', 403],
    ['mount-unreachable', 'EFSMountConnectivityException', 408],
    ['mount-timeout', 'EFSMountTimeoutException', 408],
    ['mount-io', 'EFSIOException', 410],
  ] as const)(
    'answers the sandbox error %s with %s and logs it once, with its remedy',
    async (kind, name, status: number = 502) => {
      const { invoke, failures } = invoker(validVersion(), {
        refuseStart: () => new SandboxError(kind, 'E1', 'what happened', 'what to do'),
      })
      await expect(invoke()).rejects.toMatchObject({ name, status })
      expect(failures).toHaveLength(1)
      expect(failures[0]).toMatchObject({ exception: { name }, remedy: 'what to do' })
    },
  )

  it('answers a defect of the host with ServiceException and tells the caller nothing about it', async () => {
    const { invoke } = invoker(validVersion(), { refuseStart: () => new TypeError('internal detail') })
    const error = (await invoke().catch((each: unknown) => each)) as LambdaException
    expect(error.body()).toEqual({
      Type: 'Service',
      Message: 'An error occurred and the request cannot be processed.',
    })
  })
})
