import { describe, expect, test } from 'vitest'
import { bounded, sandboxError, statusOf } from '../../../../../src/sandbox/docker/engine/errors.ts'
import { SandboxError } from '../../../../../src/sandbox/driver.ts'

const http = (statusCode: number, message: string) =>
  Object.assign(new Error(`(HTTP code ${statusCode}) - ${message}`), { statusCode, json: { message } })
const errno = (code: string) => Object.assign(new Error(`connect ${code} /var/run/docker.sock`), { code })

describe('what the engine says becomes a kind and a remedy', () => {
  test.each([
    [errno('EACCES'), 'access-denied', 'EACCES'],
    [http(403, 'authorization denied by plugin'), 'access-denied', '403'],
    [http(404, 'No such image: hearth-runtime:x'), 'image-missing', '404'],
    [
      http(400, 'invalid mount config for type "bind": bind source path does not exist: /data/code/x'),
      'code-missing',
      '400',
    ],
    [http(500, 'write /var/lib/docker: no space left on device'), 'throttled', '500'],
    [http(500, 'could not find an available, non-overlapping IPv4 address pool'), 'throttled', '500'],
    [http(503, 'service unavailable'), 'throttled', '503'],
    [errno('ETIMEDOUT'), 'throttled', 'ETIMEDOUT'],
    [errno('EMFILE'), 'throttled', 'EMFILE'],
    [errno('ENOSPC'), 'throttled', 'ENOSPC'],
    [
      Object.assign(new Error('Command failed: mount\nmount: failed to setup loop device'), { code: 32 }),
      'throttled',
      'Unknown',
    ],
    [errno('ECONNREFUSED'), 'unexpected', 'ECONNREFUSED'],
    [errno('ENOENT'), 'unexpected', 'ENOENT'],
    [http(500, 'OCI runtime create failed'), 'unexpected', '500'],
    [http(404, 'No such container: x'), 'unexpected', '404'],
    ['a text', 'unexpected', 'Unknown'],
  ])('%s is %s', (error, kind, code) => {
    const made = sandboxError(error, 'start a sandbox')
    expect(made).toBeInstanceOf(SandboxError)
    expect(made).toMatchObject({ kind, code })
    expect(made.message).toMatch(/^Could not start a sandbox: /)
    expect(made.remedy).toMatch(/\.$/)
  })
})

test('an error that is translated already stays as it is', () => {
  const error = new SandboxError('throttled', 'x', 'y', 'z')
  expect(sandboxError(error, 'do')).toBe(error)
})

test('the status of an answer is known, and that there was none', () => {
  expect(statusOf(http(409, 'in progress'))).toBe(409)
  expect(statusOf(errno('EPIPE'))).toBeUndefined()
  expect(statusOf(undefined)).toBeUndefined()
})

test('a call that does not end is aborted and is a throttle', async () => {
  let aborted = false
  const call = bounded(20, 'create a sandbox', (signal) => {
    signal.addEventListener('abort', () => {
      aborted = true
    })
    return new Promise(() => undefined)
  })
  await expect(call).rejects.toMatchObject({ kind: 'throttled', code: 'ETIMEDOUT' })
  expect(aborted).toBe(true)
})

test('a call that ends in time gives its value', async () => {
  await expect(bounded(10_000, 'ask', async () => 7)).resolves.toBe(7)
})
