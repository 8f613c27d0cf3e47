/** The host itself in a container: compose.yaml as it is, with a base image made here, because no registry may be in reach. */
import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
const BASE = 'hearth-test-node-base'
const run = promisify(execFile)

let folder: string
let data: string
let port: number
let compose: readonly string[]

/** Runs one compose command on the project's own file. */
async function composed(...args: string[]): Promise<string> {
  const [command = '', ...before] = compose
  const { stdout } = await run(command, [...before, '-p', 'hearth-test-compose', '-f', 'compose.yaml', ...args], {
    cwd: ROOT,
    env: {
      ...process.env,
      NODE_IMAGE: BASE,
      HEARTH_DATA: data,
      HEARTH_PORT: String(port),
      DOCKER_BUILDKIT: '0',
      COMPOSE_DOCKER_CLI_BUILD: '0',
    },
    maxBuffer: 64 * 1024 * 1024,
  }).catch((error: Error & { stdout?: string }) => {
    throw new Error(`${error.message}\n${(error.stdout ?? '').slice(-4000)}`)
  })
  return stdout
}

async function findCompose(): Promise<readonly string[]> {
  for (const [command, ...args] of [['docker', 'compose'], ['docker-compose']] as const) {
    const found = await run(command, [...args, 'version']).then(
      () => true,
      () => false,
    )
    if (found) return [command, ...args]
  }
  throw new Error('Neither `docker compose` nor `docker-compose` is installed: apt-get install docker-compose')
}

/** Debian with Node.js and npm: our own Node.js runtime image has the one, npm's registry the other. */
async function makeBase(): Promise<void> {
  const context = join(folder, 'base')
  mkdirSync(context)
  const { stdout } = await run('npm', ['pack', 'npm@10', '--silent', '--pack-destination', context], { cwd: context })
  const archive = stdout.trim().split('\n').pop() ?? ''
  // A site that inspects its traffic has a certificate authority of its own, which npm in the image must know as well.
  const authorities = [process.env.NODE_EXTRA_CA_CERTS, '/etc/ssl/certs/ca-certificates.crt'].find(
    (path) => path && existsSync(path),
  )
  if (authorities !== undefined) copyFileSync(authorities, join(context, 'authorities.crt'))
  else writeFileSync(join(context, 'authorities.crt'), '')
  writeFileSync(
    join(context, 'Dockerfile'),
    `FROM hearth-runtime:nodejs22.x
USER root
ADD ${archive} /usr/local/lib/node_modules/
RUN mv /usr/local/lib/node_modules/package /usr/local/lib/node_modules/npm \\
 && ln -s /var/lang/bin/node /usr/local/bin/node \\
 && ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \\
 && chmod +x /usr/local/lib/node_modules/npm/bin/npm-cli.js
COPY authorities.crt /usr/local/share/authorities.crt
ENV NODE_EXTRA_CA_CERTS=/usr/local/share/authorities.crt
WORKDIR /
ENTRYPOINT []
`,
  )
  await run('docker', ['build', '-q', '-t', BASE, context], { env: { ...process.env, DOCKER_BUILDKIT: '0' } })
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  await new Promise<void>((done) => server.close(() => done()))
  return port
}

async function until<T>(what: string, limitMs: number, ask: () => Promise<T | undefined>): Promise<T> {
  const limit = performance.now() + limitMs
  for (;;) {
    const answer = await ask().catch(() => undefined)
    if (answer !== undefined) return answer
    if (performance.now() > limit)
      throw new Error(`not within ${limitMs / 1000} s: ${what}\n${await composed('logs', '--tail=60')}`)
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

describe('the host in a container beside the engine', () => {
  beforeAll(async () => {
    compose = await findCompose()
    folder = mkdtempSync(join(tmpdir(), 'hearth-compose-'))
    data = join(folder, 'data')
    mkdirSync(data)
    // As compose.yaml says: the folder must lie on a shared mount, which `/` is only where systemd runs.
    await run('mount', ['--bind', data, data])
    await run('mount', ['--make-rshared', data])
    port = await freePort()
    await makeBase()
    await composed('build')
    await composed('up', '-d')
  }, 900_000)

  afterAll(async () => {
    await composed('down', '--rmi', 'local', '-t', '60').catch(() => {})
    await run('umount', ['-R', data]).catch(() => {})
    await run('docker', ['image', 'rm', '-f', BASE, 'hearth-host']).catch(() => {})
    rmSync(folder, { recursive: true, force: true })
  }, 300_000)

  it('becomes healthy, deploys its example and serves an invoke', async () => {
    const url = `http://127.0.0.1:${port}`
    const health = await until('healthy', 300_000, async () => {
      const answer = await fetch(`${url}/_hearth/health`)
      return answer.ok ? ((await answer.json()) as { ready: boolean }) : undefined
    })
    expect(health.ready).toBe(true)
    const answer = await until('the example is deployed', 300_000, async () => {
      const one = await fetch(`${url}/2015-03-31/functions/hello/invocations`, {
        method: 'POST',
        body: '{"name":"compose"}',
      })
      return one.status === 200 ? one : undefined
    })
    expect(answer.headers.get('x-amz-function-error')).toBeNull()
    expect(await answer.json()).toMatchObject({ message: 'Hello, compose!' })
  }, 700_000)

  it('stops with nothing left behind', async () => {
    await composed('stop', '-t', '60')
    const logs = await composed('logs', '--no-color')
    expect(logs).toContain('Stopped.')
    const { stdout } = await run('docker', [
      'ps',
      '-a',
      '--filter',
      'label=hearth.instance',
      '--format',
      '{{.Mounts}} {{.Names}}',
      '--no-trunc',
    ])
    expect(stdout.split('\n').filter((line) => line.includes(folder))).toEqual([])
  }, 200_000)
})
