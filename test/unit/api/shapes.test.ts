import { describe, expect, it } from 'vitest'
import { createAlias, createFunction, updateFunctionConfiguration } from '../../../src/api/inputs.ts'
import type { Shape } from '../../../src/api/shapes.ts'

function read<T>(shape: Shape<T>, json: unknown): { value: T; violations: string[] } {
  const violations: string[] = []
  return { value: shape.read(json, '', violations), violations }
}

const minimal = { FunctionName: 'f', Role: 'arn:aws:iam::111111111111:role/r', Code: {} }

describe('input shapes', () => {
  it("read the wire's names into members with AWS's lowerCamel names", () => {
    const { value, violations } = read(createFunction, {
      ...minimal,
      Code: { ZipFile: 'UEs=', SourceKMSKeyArn: '' },
      KMSKeyArn: '',
      Environment: { Variables: { KEY_A: 'v' } },
      VpcConfig: { Ipv6AllowedForDualStack: false },
      SomethingNewer: { anything: 1 },
    })
    expect(violations).toEqual([])
    expect(value).toEqual({
      functionName: 'f',
      role: 'arn:aws:iam::111111111111:role/r',
      code: { zipFile: Buffer.from('PK'), sourceKmsKeyArn: '' },
      kmsKeyArn: '',
      environment: { variables: { KEY_A: 'v' } },
      vpcConfig: { ipv6AllowedForDualStack: false },
    })
  })

  it('take null for absent', () => {
    expect(read(updateFunctionConfiguration, { Timeout: null, Environment: null })).toEqual({
      value: {},
      violations: [],
    })
  })

  it('report each missing member and each broken constraint with its path', () => {
    const { violations } = read(createFunction, {
      FunctionName: 'f',
      Timeout: 0,
      EphemeralStorage: {},
      SnapStart: { ApplyOn: 'x' },
      Handler: 'has space',
      LoggingConfig: { LogGroup: '' },
    })
    expect(violations).toEqual([
      "Value 'has space' at 'handler' failed to satisfy constraint: Member must satisfy regular expression pattern: [^\\s]+",
      "Value '0' at 'timeout' failed to satisfy constraint: Member must have value greater than or equal to 1",
      "Value null at 'ephemeralStorage.size' failed to satisfy constraint: Member must not be null",
      "Value '' at 'loggingConfig.logGroup' failed to satisfy constraint: Member must have length greater than or equal to 1",
      "Value '' at 'loggingConfig.logGroup' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+",
      "Value 'x' at 'snapStart.applyOn' failed to satisfy constraint: Member must satisfy enum value set: [PublishedVersions, None]",
      "Value null at 'role' failed to satisfy constraint: Member must not be null",
      "Value null at 'code' failed to satisfy constraint: Member must not be null",
    ])
  })

  it('show maps as AWS does and name the rules of keys and values', () => {
    const keys = read(updateFunctionConfiguration, { Environment: { Variables: { '1A': 'x', GOOD: 'y' } } })
    expect(keys.violations).toEqual([
      "Value '{1A=x, GOOD=y}' at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]",
    ])
    const weights = read(createAlias, {
      Name: 'a',
      FunctionVersion: '1',
      RoutingConfig: { AdditionalVersionWeights: { '2': 1.5 } },
    })
    expect(weights.violations[0]).toMatch(/^Value '\{2=1\.5\}' at 'routingConfig\.additionalVersionWeights'/)
  })

  it('refuse other JSON types by the name of the member', () => {
    const wrong: [object, string][] = [
      [{ Timeout: '3' }, 'timeout must be an integer'],
      [{ Timeout: 1.5 }, 'timeout must be an integer'],
      [{ Handler: 1 }, 'handler must be a string'],
      [{ Layers: 'x' }, 'layers must be a list'],
      [{ Layers: [null] }, 'layers[0] must be a string'],
      [{ Environment: [] }, 'environment must be an object'],
      [{ Environment: { Variables: { KEY_A: 1 } } }, 'environment.variables.KEY_A must be a string'],
      [{ VpcConfig: { Ipv6AllowedForDualStack: 'true' } }, 'vpcConfig.ipv6AllowedForDualStack must be a boolean'],
    ]
    for (const [json, message] of wrong) {
      expect(() => read(updateFunctionConfiguration, json)).toThrow(
        expect.objectContaining({
          name: 'InvalidRequestContentException',
          message: `Could not parse request body into json: ${message}`,
        }),
      )
    }
  })

  it('leave the prototypes of objects alone', () => {
    const { value } = read(createFunction, {
      ...minimal,
      Tags: JSON.parse('{"__proto__":"x","constructor":"y"}') as object,
    })
    expect(Object.entries(value.tags ?? {})).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ])
    expect(({} as { x?: string }).x).toBeUndefined()
  })
})
