import { describe, expect, it } from 'vitest'
import { parseImageReference } from '../../../../../../src/sandbox/docker/images/registry/reference.ts'

const DIGEST = `sha256:${'0f'.repeat(32)}`

describe('the reference of an image', () => {
  it('has a repository with an optional registry, and a tag, a digest, both or none', () => {
    expect(parseImageReference('team/app')).toEqual({ repository: 'team/app' })
    expect(parseImageReference('111122223333.dkr.ecr.us-east-1.amazonaws.com/team/app:v1.2')).toEqual({
      repository: '111122223333.dkr.ecr.us-east-1.amazonaws.com/team/app',
      tag: 'v1.2',
    })
    expect(parseImageReference(`localhost:5000/app:latest@${DIGEST}`)).toEqual({
      repository: 'localhost:5000/app',
      tag: 'latest',
      digest: DIGEST,
    })
  })

  it('is nothing else: it becomes part of a path of the engine', () => {
    for (const text of [
      '',
      '../containers/json',
      'a/../b',
      'a//b',
      'app?all=1',
      'app#x',
      'app tag',
      'App',
      '/app',
      'app:',
      'app@sha256:12',
      'app%2f..',
      'app\n',
      `${'a'.repeat(513)}`,
    ]) {
      expect(parseImageReference(text), text).toBeUndefined()
    }
  })
})
