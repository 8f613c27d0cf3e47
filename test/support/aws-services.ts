/** SQS, SNS, EventBridge and S3 by moto's server, a process of its own that tests may end and start again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { until } from './until.ts'

export interface AwsServices {
  readonly url: string
  /** Starts it again on the same port, empty. */
  start(): Promise<void>
  stop(): Promise<void>
}

export async function startAwsServices(): Promise<AwsServices> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  let child: ChildProcess | undefined
  const services: AwsServices = {
    url,
    async start() {
      child = spawn('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      let errors = ''
      child.stderr?.on('data', (chunk: Buffer) => {
        errors = (errors + chunk.toString()).slice(-5000)
      })
      let ended = false
      child.once('exit', () => {
        ended = true
      })
      await until(async () => {
        if (ended) throw new Error(`moto's server ended:\n${errors}`)
        return fetch(`${url}/moto-api/`).then(
          (answer) => answer.ok,
          () => false,
        )
      }, 100)
    },
    async stop() {
      const ending = child
      child = undefined
      if (ending === undefined || ending.exitCode !== null) return
      const exited = new Promise((resolve) => ending.once('exit', resolve))
      ending.kill('SIGKILL')
      await exited
    },
  }
  await services.start()
  return services
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
