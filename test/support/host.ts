/** A real host for tests: own data folder, free port, official SDK client with retries off. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { pino } from 'pino'
import { type Config, loadConfig } from '../../src/config.ts'
import { type RunningHost, startHost } from '../../src/main.ts'

export interface TestHost extends RunningHost {
  readonly client: LambdaClient
  readonly data: string
  /** What the host logged for its operator, parsed. */
  readonly log: Record<string, unknown>[]
  stop(): Promise<void>
}

/** Runtime images are built once for all tests: their cache outlives the data folder of one host. */
export const CACHE = resolve(import.meta.dirname, '../../.hearth/test-cache')

export async function startTestHost(overrides: Partial<Config> = {}): Promise<TestHost> {
  const data = await mkdtemp(join(tmpdir(), 'hearth-test-'))
  const { config, sources } = loadConfig({ flags: {}, env: {}, cwd: data })
  const log: Record<string, unknown>[] = []
  const logger = pino({ level: 'info', base: null }, { write: (line: string) => void log.push(JSON.parse(line)) })
  const host = await startHost({ ...config, data, port: 0, ...overrides }, { log: logger, sources })
  const client = testClient(host.url)
  return {
    ...host,
    client,
    data,
    log,
    async stop() {
      client.destroy()
      await host.close()
      await rm(data, { recursive: true, force: true })
    },
  }
}

export function testClient(endpoint: string, config: LambdaClientConfig = {}): LambdaClient {
  return new LambdaClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIATEST000000000000', secretAccessKey: 'secret' },
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({ httpAgent: { maxSockets: 200 }, requestTimeout: 0 }),
    ...config,
  })
}
