/** A real image registry (the program `docker-registry`) on loopback that wants a password. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { docker } from './images.ts'
import { until } from './until.ts'

export const USER = 'hearth'
export const PASSWORD = 'open-sesame'
/** bcrypt, the only form that it takes. */
const PASSWORD_HASH = '$2b$04$6YbeJdxWQu3yIF2Xaw085Oxlt904iYWuA.jGgcIe11U9hIytRYFrC'

export interface PrivateRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string
  /** Pushes a local image as `team/NAME:v1`, and returns that with the host. */
  push(image: string, name: string): Promise<string>
  close(): Promise<void>
}

export async function startPrivateRegistry(): Promise<PrivateRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-registry-'))
  const host = `127.0.0.1:${await freePort()}`
  const users = join(folder, 'htpasswd')
  await writeFile(users, `${USER}:${PASSWORD_HASH}\n`)
  const configuration = {
    version: 0.1,
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: join(folder, 'data') } },
    http: { addr: host },
    auth: { htpasswd: { realm: 'test', path: users } },
  }
  // JSON is YAML.
  await writeFile(join(folder, 'config.yml'), JSON.stringify(configuration))
  let failure: Error | undefined
  const server = spawn('docker-registry', ['serve', join(folder, 'config.yml')], { stdio: 'ignore' })
  server.once('error', (error) => {
    failure = error
  })
  const ended = new Promise((resolve) => server.once('close', resolve))
  await until(async () => {
    if (failure || server.exitCode !== null) throw failure ?? new Error(`docker-registry ended: ${server.exitCode}`)
    return fetch(`http://${host}/v2/`).then(
      ({ status }) => status === 401,
      () => false,
    )
  })
  return {
    host,
    async push(image, name) {
      const repo = `${host}/team/${name}`
      await docker.getImage(image).tag({ repo, tag: 'v1' })
      const authconfig = { username: USER, password: PASSWORD, serveraddress: host }
      const stream = await docker.getImage(`${repo}:v1`).push({ authconfig })
      await new Promise<void>((resolve, reject) => {
        docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve()))
      })
      return `${repo}:v1`
    },
    async close() {
      server.kill('SIGKILL')
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
