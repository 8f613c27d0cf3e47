import { describe, expect, it } from 'vitest'
import { readBody } from '../../../../src/api/operations/read.ts'

const minimal = { FunctionName: 'f', Role: 'arn:aws:iam::111111111111:role/r', Code: {} }

describe('bodies of requests', () => {
  it("have the wire's names as properties", () => {
    const value = readBody('CreateFunction', {
      ...minimal,
      Code: { ZipFile: 'UEs=', SourceKMSKeyArn: '' },
      KMSKeyArn: '',
      Environment: { Variables: { KEY_A: 'v' } },
      VpcConfig: { Ipv6AllowedForDualStack: false },
      FileSystemConfigs: [{ Arn: 'a', LocalMountPath: '/mnt/a' }],
      SomethingNewer: { anything: 1 },
    })
    expect(value).toEqual({
      functionName: 'f',
      role: 'arn:aws:iam::111111111111:role/r',
      code: { zipFile: Buffer.from('PK'), sourceKmsKeyArn: '' },
      kmsKeyArn: '',
      environment: { variables: { KEY_A: 'v' } },
      vpcConfig: { ipv6AllowedForDualStack: false },
      fileSystemConfigs: [{ arn: 'a', localMountPath: '/mnt/a' }],
    })
  })

  it('take null for absent', () => {
    expect(readBody('UpdateFunctionConfiguration', { Timeout: null, Environment: null })).toEqual({})
  })

  it('refuse other JSON types by the name of the member', () => {
    const wrong: [object, string][] = [
      [{ Timeout: '3' }, 'timeout must be a number'],
      [{ Handler: 1 }, 'handler must be a string'],
      [{ Layers: 'x' }, 'layers must be a list'],
      [{ Layers: [null] }, 'layers[0] must be a string'],
      [{ Environment: [] }, 'environment must be an object'],
      [{ Environment: { Variables: { KEY_A: 1 } } }, 'environment.variables.KEY_A must be a string'],
      [{ VpcConfig: { Ipv6AllowedForDualStack: 'true' } }, 'vpcConfig.ipv6AllowedForDualStack must be a boolean'],
    ]
    for (const [json, message] of wrong) {
      expect(() => readBody('UpdateFunctionConfiguration', json)).toThrow(
        expect.objectContaining({
          name: 'InvalidRequestContentException',
          message: `Could not parse request body into json: ${message}`,
        }),
      )
    }
    const routing = { Name: 'a', FunctionVersion: '1', RoutingConfig: { AdditionalVersionWeights: { '2': 'x' } } }
    expect(() => readBody('CreateAlias', routing)).toThrow('additionalVersionWeights.2 must be a number')
  })

  it('leave the prototypes of objects alone', () => {
    const Tags = JSON.parse('{"__proto__":"x","constructor":"y"}') as object
    const value = readBody('CreateFunction', { ...minimal, Tags })
    expect(Object.entries(value.tags ?? {})).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ])
    expect(({} as { x?: string }).x).toBeUndefined()
  })
})
