import { describe, expect, it } from 'vitest'
import { answerFaults } from '../../support/model.ts'

const faults = (operation: string, answer: object) => answerFaults(operation, JSON.stringify(answer))

describe('the comparison of answers with the model', () => {
  it('finds nothing wrong with members that the model has', () => {
    expect(
      faults('GetFunction', {
        Configuration: { FunctionName: 'f', Timeout: 3, Architectures: ['x86_64'], TracingConfig: { Mode: 'Active' } },
        Tags: { any: 'tag' },
      }),
    ).toEqual([])
    expect(faults('GetFunctionCodeSigningConfig', {})).toEqual([])
  })

  it('finds unknown members at any depth', () => {
    expect(faults('GetFunction', { Configuration: { Colour: 'red' }, Extra: 1 })).toEqual([
      'GetFunction.Configuration.Colour is not in the model',
      'GetFunction.Extra is not in the model',
    ])
  })

  it('finds other types, null and unknown values', () => {
    expect(faults('GetFunctionConfiguration', { Timeout: '3', Handler: null, PackageType: 'Tar', Layers: {} })).toEqual(
      [
        'GetFunctionConfiguration.Timeout is of type string and not a integer',
        'GetFunctionConfiguration.Handler is null and not a string',
        "GetFunctionConfiguration.PackageType is 'Tar', not one of Zip, Image",
        'GetFunctionConfiguration.Layers is of type object and not a list',
      ],
    )
  })

  it('finds missing members that the model requires', () => {
    expect(faults('ListCapacityProviders', {})).toEqual(['ListCapacityProviders.CapacityProviders is missing'])
  })

  it('wants no body where the model has none', () => {
    expect(answerFaults('TagResource', '')).toEqual([])
    expect(answerFaults('DeleteFunction', '')).toEqual([])
    expect(answerFaults('TagResource', '{}')).toEqual(['TagResource has no body in the model'])
  })
})
