/**
 * Deployment packages from S3, through the official client: the host's own AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3, AWS_REGION, profile and
 * credentials apply. The client is loaded with the first request; most hosts never need it.
 */
import { Readable } from 'node:stream'
import type { S3Client } from '@aws-sdk/client-s3'
import { Budget, type Share, type Transfer } from '../http/budget.ts'
import { Chunks } from '../http/chunks.ts'
import { LambdaException } from '../lambda/errors.ts'
import { LIMITS } from '../lambda/limits.ts'
import { refused } from '../lambda/refusals.ts'
import type { S3ObjectName, S3Objects } from '../ports/s3-objects.ts'

/** Objects that are in memory at the same time; further ones wait. */
const PARALLEL = 2
/** Milliseconds for which one waits. */
const WAIT_MS = 60_000
/** Milliseconds for one object, retries included. */
const LIMIT_MS = 300_000
const CONNECT_LIMIT_MS = 5000

export interface S3ObjectsOptions {
  /** Bytes that an object may have; default: those of an unpacked deployment package, which is never smaller than its zip. */
  readonly limitBytes?: number
  /** What counts their bytes, together with the bodies of requests. */
  readonly share?: Share
  /** Milliseconds for which an object waits for the others. */
  readonly waitMs?: number
}

export class SdkS3Objects implements S3Objects {
  readonly #limitBytes: number
  readonly #share: Share
  readonly #waitMs: number
  readonly #clients = new Map<string, Promise<S3Client>>()
  readonly #waiting = new Set<() => void>()
  #running = 0

  constructor({ limitBytes = LIMITS.unzippedBytes, share, waitMs = WAIT_MS }: S3ObjectsOptions = {}) {
    this.#limitBytes = limitBytes
    this.#share = share ?? new Budget({ bytes: limitBytes, lent: limitBytes }).share()
    this.#waitMs = waitMs
  }

  async get<T>(object: S3ObjectName, region: string, use: (bytes: Uint8Array) => Promise<T>): Promise<T> {
    await this.#enter()
    const arrival = new Arrival(this.#share, this.#limitBytes)
    try {
      return await use(await this.#get(object, region, arrival).catch((error: unknown) => explained(error)))
    } finally {
      arrival.close()
      this.#leave()
    }
  }

  close(): void {
    for (const client of this.#clients.values()) void client.then((one) => one.destroy()).catch(() => {})
    this.#clients.clear()
  }

  async #get({ bucket, key, version }: S3ObjectName, region: string, arrival: Arrival): Promise<Uint8Array> {
    const { GetObjectCommand } = await import('@aws-sdk/client-s3')
    const client = await this.#client(region)
    const stop = new AbortController()
    const late = setTimeout(() => stop.abort(new Error(`no answer within ${LIMIT_MS / 1000} s`)), LIMIT_MS)
    try {
      const command = new GetObjectCommand({ Bucket: bucket, Key: key, ...(version ? { VersionId: version } : {}) })
      const { Body, ContentLength } = await client.send(command, { abortSignal: stop.signal })
      const body = (Body ?? Readable.from([])) as Readable
      // One that is given up checks its checksum nevertheless, and an error that nobody hears ends the process.
      body.on('error', () => {})
      if ((ContentLength ?? 0) > this.#limitBytes) {
        body.destroy()
        throw this.#tooLarge()
      }
      const chunks = new Chunks()
      let bytes = 0
      for await (const chunk of body as AsyncIterable<Buffer>) {
        bytes += chunk.length
        // Leaving the loop ends the transfer.
        if (bytes > this.#limitBytes) throw this.#tooLarge()
        await arrival.take(chunk.length)
        chunks.add(chunk)
      }
      return chunks.whole()
    } finally {
      clearTimeout(late)
      stop.abort()
    }
  }

  #client(region: string): Promise<S3Client> {
    const known = this.#clients.get(region)
    if (known !== undefined) return known
    const made = this.#connect(region)
    this.#clients.set(region, made)
    made.catch(() => this.#clients.delete(region))
    return made
  }

  async #connect(region: string): Promise<S3Client> {
    const { S3Client } = await import('@aws-sdk/client-s3')
    const options = {
      // Names of buckets as part of the host name need a DNS that only AWS has.
      forcePathStyle: true,
      followRegionRedirects: true,
      requestHandler: { connectionTimeout: CONNECT_LIMIT_MS, requestTimeout: LIMIT_MS },
    }
    const client = new S3Client(options)
    try {
      await client.config.region()
      return client
    } catch {
      client.destroy()
      return new S3Client({ ...options, region })
    }
  }

  #tooLarge(): LambdaException {
    return refused(`Unzipped size must be smaller than ${this.#limitBytes} bytes`)
  }

  async #enter(): Promise<void> {
    if (this.#running < PARALLEL) {
      this.#running++
      return
    }
    // Its place is handed over by whoever leaves.
    await new Promise<void>((resolve, reject) => {
      const enter = () => {
        clearTimeout(late)
        resolve()
      }
      const late = setTimeout(() => {
        this.#waiting.delete(enter)
        reject(noRoom())
      }, this.#waitMs)
      this.#waiting.add(enter)
    })
  }

  #leave(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#running--
      return
    }
    this.#waiting.delete(next)
    next()
  }
}

/** An object while it arrives. S3 may be as slow as LIMIT_MS allows. */
class Arrival {
  readonly #transfer: Transfer
  #go: (() => void) | undefined
  #giveUp: ((error: Error) => void) | undefined

  constructor(share: Share, size: number) {
    this.#transfer = share.open({
      size,
      resume: () => this.#go?.(),
      cut: () => this.#giveUp?.(noRoom()),
      leastRate: 0,
      totalMs: Number.POSITIVE_INFINITY,
      windowMs: Number.POSITIVE_INFINITY,
    })
  }

  /** Resolves when there is room for the bytes. */
  async take(bytes: number): Promise<void> {
    if (this.#transfer.take(bytes)) return
    await new Promise<void>((resolve, reject) => {
      this.#go = resolve
      this.#giveUp = reject
    })
  }

  close(): void {
    this.#transfer.close()
  }
}

function noRoom(): LambdaException {
  return new LambdaException(
    'TooManyRequestsException',
    'The host has no room to fetch more packages from S3 at the moment. Try again later.',
    { members: { Reason: 'CallerRateLimitExceeded' } },
  )
}

function explained(error: unknown): never {
  throw error instanceof LambdaException ? error : refusal(error)
}

/** S3's own refusals in AWS's words; everything else with what the operator of this host can do. */
function refusal(error: unknown): LambdaException {
  const { name, message, code, $metadata } = error as Error & { code?: string; $metadata?: { httpStatusCode?: number } }
  if ($metadata?.httpStatusCode !== undefined) {
    return refused(`Error occurred while GetObject. S3 Error Code: ${name}. S3 Error Message: ${message}`, {
      cause: error,
    })
  }
  if (name === 'CredentialsProviderError') {
    return refused(
      'Error occurred while GetObject. This host has no credentials for S3: its operator sets AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, where Hearth is started.',
      { cause: error },
    )
  }
  return refused(
    `Error occurred while GetObject. S3 cannot be reached from this host (${code ?? name}: ${message}): its operator checks AWS_ENDPOINT_URL_S3 and AWS_REGION where Hearth is started.`,
    { cause: error },
  )
}
