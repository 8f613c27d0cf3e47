import { describe, expect, test } from 'vitest'
import { RUNTIMES } from '../../../../../src/lambda/runtimes.ts'
import { RECIPES } from '../../../../../src/sandbox/docker/images/catalogue.ts'
import {
  awsImageName,
  isAwsImage,
  nearestRecipe,
  resolveImage,
} from '../../../../../src/sandbox/docker/images/resolve.ts'

const options = { map: {}, substitute: 'off', architecture: 'x86_64', engineArchitecture: 'x86_64' } as const

describe('which image runs a runtime', () => {
  test('the operator’s image goes before everything else, whatever the architecture', () => {
    const map = { 'python3.13': 'mine:1' }
    const resolution = resolveImage('python3.13', { ...options, map, awsImage: 'aws:1', architecture: 'arm64' })
    expect(resolution).toEqual({ kind: 'image', image: 'mine:1' })
  })

  test('AWS’s image goes before our recipe where it is to be had', () => {
    expect(resolveImage('python3.13', { ...options, awsImage: 'aws:1' })).toEqual({ kind: 'image', image: 'aws:1' })
    expect(resolveImage('python3.13', options)).toEqual({ kind: 'recipe', recipe: 'python3.13' })
  })

  test('a runtime without a recipe names those available and every way to get it', () => {
    const resolution = resolveImage('python3.12', options)
    expect(resolution.kind).toBe('unavailable')
    const reason = resolution.kind === 'unavailable' ? resolution.reason : ''
    for (const runtime of Object.keys(RECIPES)) expect(reason).toContain(runtime)
    expect(reason).toContain('HEARTH_RUNTIME_IMAGE_MAP=python3.12=IMAGE')
    expect(reason).toContain('HEARTH_RUNTIME_IMAGES=aws')
    expect(reason).toContain('HEARTH_RUNTIME_SUBSTITUTE=nearest')
  })

  test('no substitute is offered where the family has no recipe', () => {
    const resolution = resolveImage('java21', { ...options, substitute: 'nearest' })
    expect(resolution.kind === 'unavailable' && resolution.reason).not.toContain('HEARTH_RUNTIME_SUBSTITUTE')
  })

  test('the nearest version stands in when asked for, and is named', () => {
    const nearest = { ...options, substitute: 'nearest' } as const
    expect(resolveImage('nodejs18.x', nearest)).toEqual({
      kind: 'recipe',
      recipe: 'nodejs20.x',
      substitute: 'nodejs20.x',
    })
  })

  test('the newer version wins where two are equally near', () => {
    expect(nearestRecipe('python3.12')).toBe('python3.13')
    expect(nearestRecipe('python3.8')).toBe('python3.11')
    expect(nearestRecipe('nodejs26.x')).toBe('nodejs24.x')
    expect(nearestRecipe('provided')).toBe('provided.al2023')
    expect(nearestRecipe('ruby3.4')).toBeUndefined()
    expect(nearestRecipe('unknown')).toBeUndefined()
  })

  test('the other architecture is refused with what to do', () => {
    const resolution = resolveImage('nodejs22.x', { ...options, architecture: 'arm64' })
    expect(resolution).toMatchObject({ kind: 'unavailable', reason: expect.stringContaining('["x86_64"]') })
  })

  test('there is a recipe only for identifiers that AWS knows', () => {
    for (const [runtime, recipe] of Object.entries(RECIPES)) expect(RUNTIMES[runtime]?.family).toBe(recipe.family)
  })
})

describe('AWS’s base images', () => {
  test.each([
    ['nodejs22.x', 'amazon/aws-lambda-nodejs:22'],
    ['python3.13', 'amazon/aws-lambda-python:3.13'],
    ['java8.al2', 'amazon/aws-lambda-java:8.al2'],
    ['dotnet8', 'amazon/aws-lambda-dotnet:8'],
    ['ruby3.4', 'amazon/aws-lambda-ruby:3.4'],
    ['provided.al2023', 'amazon/aws-lambda-provided:al2023'],
  ])('of %s is %s', (runtime, image) => {
    expect(awsImageName(runtime)).toBe(image)
  })

  test('are recognised under any registry, and nothing else is', () => {
    expect(isAwsImage('mirror.example/lambda/python:3.13', 'python3.13')).toBe(true)
    expect(isAwsImage('lambda/python:3.13', 'python3.13')).toBe(true)
    expect(isAwsImage('mirror.example/amazon/aws-lambda-python:3.13', 'python3.13')).toBe(true)
    expect(isAwsImage('mirror.example/lambda/python:3.12', 'python3.13')).toBe(false)
    expect(isAwsImage('not-lambda/python:3.13', 'python3.13')).toBe(false)
  })
})
