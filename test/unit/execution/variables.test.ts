import { describe, expect, it } from 'vitest'
import { environmentVariables } from '../../../src/execution/variables.ts'
import { validVersion } from './fake-host.ts'

const variables = (defaults: Record<string, string>, environment: Record<string, string> = {}) =>
  environmentVariables({
    version: validVersion({ environment }),
    initialization: 'on-demand',
    runtimeApi: '10.0.0.1:21000',
    logStream: 's',
    defaults,
    credentials: { accessKeyId: 'ASIA2222000000000000', secretAccessKey: 's', sessionToken: 't' },
    sandboxApi: false,
  })

describe('the environment variables of a runtime', () => {
  it('have the operator’s defaults in the place of the runtime’s own', () => {
    expect(variables({})).toMatchObject({ TZ: ':UTC', LANG: 'en_US.UTF-8' })
    expect(variables({ TZ: 'Europe/Berlin', LANG: 'C.UTF-8' })).toMatchObject({ TZ: 'Europe/Berlin', LANG: 'C.UTF-8' })
  })

  it('have the function’s own in the place of the operator’s', () => {
    expect(variables({ TZ: 'Europe/Berlin' }, { TZ: 'Asia/Tokyo' })).toMatchObject({ TZ: 'Asia/Tokyo' })
  })

  it('that are reserved are nobody’s', () => {
    const reserved = { AWS_REGION: 'x', LAMBDA_TASK_ROOT: '/x', AWS_LAMBDA_RUNTIME_API: 'x', _HANDLER: 'x' }
    expect(variables(reserved)).toMatchObject({
      AWS_REGION: 'us-east-1',
      LAMBDA_TASK_ROOT: '/var/task',
      AWS_LAMBDA_RUNTIME_API: '10.0.0.1:21000',
      _HANDLER: 'index.handler',
    })
  })

  it('name the X-Ray daemon where AWS’s functions find it', () => {
    expect(variables({})).toMatchObject({
      AWS_XRAY_DAEMON_ADDRESS: '169.254.100.1:2000',
      _AWS_XRAY_DAEMON_ADDRESS: '169.254.100.1',
      _AWS_XRAY_DAEMON_PORT: '2000',
    })
  })
})
