import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { RECIPES } from '../../../../../src/sandbox/docker/images/catalogue.ts'
import { Identities, recipeFiles, runtimesFolder, sha256 } from '../../../../../src/sandbox/docker/images/identity.ts'

let copy: string
beforeEach(async () => {
  copy = await mkdtemp(join(tmpdir(), 'hearth-identity-'))
  await cp(runtimesFolder(), copy, { recursive: true })
})
afterEach(() => rm(copy, { recursive: true, force: true }))

const all = (root: string): Record<string, string | undefined> => {
  const identities = new Identities(root)
  return Object.fromEntries(Object.keys(RECIPES).map((name) => [name, identities.runtime(name, 'x86_64')]))
}

test('the same recipes have the same identity in another folder, and a README is not part of it', async () => {
  await writeFile(join(copy, 'python', 'README.md'), 'other words')
  expect(all(copy)).toEqual(all(runtimesFolder()))
})

test('a change in one family changes that family only', async () => {
  const before = all(copy)
  await writeFile(join(copy, 'python', 'bootstrap'), '#!/bin/sh\nexit 0\n')
  const after = all(copy)
  for (const name of Object.keys(RECIPES)) {
    if (name.startsWith('python')) expect(after[name]).not.toBe(before[name])
    else expect(after[name]).toBe(before[name])
  }
})

test('a change of the base changes everything that is built on it', async () => {
  const before = all(copy)
  await writeFile(join(copy, 'base', 'Dockerfile'), 'ARG BASE\nFROM scratch\n')
  const after = all(copy)
  for (const name of Object.keys(RECIPES)) expect(after[name]).not.toBe(before[name])
})

test('architectures have their own identity, and what has no recipe has none', () => {
  const identities = new Identities(copy)
  expect(identities.runtime('nodejs22.x', 'arm64')).not.toBe(identities.runtime('nodejs22.x', 'x86_64'))
  expect(identities.runtime('java21', 'x86_64')).toBeUndefined()
})

test('scripts are executable by their first line, whatever the file system says', () => {
  const files = recipeFiles(join(copy, 'python'))
  expect(files.find((file) => file.name === 'bootstrap')?.executable).toBe(true)
  expect(files.find((file) => file.name === 'Dockerfile')?.executable).toBe(false)
})

test('parts of a hash cannot run into each other', () => {
  expect(sha256('ab', 'c')).not.toBe(sha256('a', 'bc'))
  expect(sha256('a')).toMatch(/^[0-9a-f]{64}$/)
})

test('a folder outside an installation is refused', () => {
  expect(() => runtimesFolder('/nowhere/at/all/file.ts')).toThrow('installation is incomplete')
})
