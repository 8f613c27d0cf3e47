/** A real server of the S3 protocol (moto, installed by scripts/test-tools.mjs) on a free port. */
import { type ChildProcess, spawn } from 'node:child_process'
import { type AddressInfo, createServer } from 'node:net'
import { CreateBucketCommand, PutBucketVersioningCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { until } from './until.ts'

export interface S3Server {
  readonly url: string
  /** Variables of the environment that lead an official client to it. */
  readonly environment: Readonly<Record<string, string>>
  /** Makes a bucket that keeps versions. */
  bucket(name: string): Promise<void>
  /** @returns the version of the object */
  put(bucket: string, key: string, body: Uint8Array): Promise<string>
  close(): Promise<void>
}

export async function startS3Server(): Promise<S3Server> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const server: ChildProcess = spawn('moto_server', ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' })
  let failure: Error | undefined
  server.once('error', (error) => {
    failure = error
  })
  const exited = new Promise<void>((resolve) => server.once('close', () => resolve()))
  await until(async () => {
    if (failure !== undefined) throw failure
    if (server.exitCode !== null) throw new Error(`moto_server ended with ${server.exitCode}`)
    return fetch(url).then(
      () => true,
      () => false,
    )
  })
  const client = new S3Client({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    forcePathStyle: true,
  })
  return {
    url,
    environment: { AWS_ENDPOINT_URL_S3: url, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
    async bucket(Bucket) {
      await client.send(new CreateBucketCommand({ Bucket }))
      await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }))
    },
    async put(Bucket, Key, Body) {
      return (await client.send(new PutObjectCommand({ Bucket, Key, Body }))).VersionId ?? ''
    },
    async close() {
      client.destroy()
      server.kill()
      await exited
    },
  }
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => probe.once('listening', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}
