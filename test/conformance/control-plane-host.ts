/** The control plane behind a real HTTP server with a real store; runtime images and packages are the only stand-ins. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda'
import { serve } from '@hono/node-server'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { type ApiOptions, createApi } from '../../src/api/app.ts'
import { Uploads } from '../../src/api/http/uploads.ts'
import { ArtifactStore } from '../../src/code/artifact.ts'
import { readSignatures } from '../../src/code/signature/read.ts'
import { readProfiles } from '../../src/code/signature/trust.ts'
import type { CodeStore } from '../../src/control/code/code-store.ts'
import { type ControlPlane, createControlPlane } from '../../src/control/control-plane.ts'
import { Keyring } from '../../src/keys/keyring.ts'
import { LambdaException } from '../../src/lambda/errors.ts'
import type { MachineRoom } from '../../src/lambda/machine-room.ts'
import type { PackageReference } from '../../src/lambda/package/package.ts'
import { revokedSignatures } from '../../src/lambda/package/signature.ts'
import type { FunctionImages } from '../../src/ports/function-images.ts'
import type { RuntimeImages } from '../../src/ports/runtime-images.ts'
import type { S3Objects } from '../../src/ports/s3-objects.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { EventBus, type PlatformEvent } from '../../src/telemetry/events.ts'

/** Every runtime is there; `hold` keeps functions Pending or InProgress until the returned function is called. */
export class ReadyImages implements RuntimeImages {
  unavailable: string | undefined
  failure: Error | undefined
  #gate: Promise<void> = Promise.resolve()

  hold(): () => void {
    let release = () => {}
    this.#gate = new Promise((resolve) => {
      release = resolve
    })
    return release
  }

  availability() {
    return Promise.resolve(
      this.unavailable === undefined
        ? ({ available: true } as const)
        : ({ available: false, reason: this.unavailable } as const),
    )
  }

  async prepare(): Promise<void> {
    await this.#gate
    if (this.failure) throw this.failure
  }

  versionHash(runtime: string, architecture: string): string {
    return createHash('sha256').update(`${runtime}/${architecture}`).digest('hex')
  }

  isVersionOf(hash: string, runtime: string): boolean {
    return hash === this.versionHash(runtime, 'x86_64')
  }

  keepVersion(): Promise<boolean> {
    return Promise.resolve(true)
  }
}

/** Keeps packages in memory, those under a key too, and takes anything that starts like a zip. */
export class MemoryCodeStore implements CodeStore {
  readonly #zips = new Map<string, Uint8Array>()

  put(zip: Uint8Array) {
    if (Buffer.from(zip.subarray(0, 2)).toString() !== 'PK') {
      return Promise.reject(
        new LambdaException(
          'InvalidParameterValueException',
          'Could not unzip uploaded file. Please check your file, then try to upload again.',
        ),
      )
    }
    const sha256Base64 = createHash('sha256').update(zip).digest('base64')
    this.#zips.set(sha256Base64, zip)
    return Promise.resolve({ sha256Base64, size: zip.length, unzippedBytes: zip.length })
  }

  prepareLayers() {
    return Promise.resolve()
  }

  get({ codeSha256 }: PackageReference) {
    return Promise.resolve(this.#zips.get(codeSha256))
  }

  signatures() {
    return Promise.resolve({ kind: 'unsigned' } as const)
  }
}

/** Packages are really unpacked, and their signatures read. @param profiles file of certificates by ARN of the profile version */
export function unpackingCodeStore(directory: string, profiles: Readonly<Record<string, string>>): CodeStore {
  const code = new ArtifactStore({ directory, log: { warn: () => {}, error: () => {} } })
  const trusted = readProfiles(profiles)
  return {
    put: (zip) => code.put(zip),
    get: ({ codeSha256 }) => code.get(codeSha256),
    prepareLayers: () => Promise.resolve(),
    signatures: async ({ codeSha256 }) => readSignatures(await code.folder(codeSha256), trusted),
  }
}

/** What VpcConfig and FileSystemConfigs may name. */
export const ROOM: MachineRoom = {
  fileSystems: {
    'arn:aws:elasticfilesystem:us-east-1:111111111111:access-point/fsap-00000000000000001': '/srv/shared',
  },
  subnets: { 'subnet-0a': 'network-a', 'subnet-0b': 'network-b' },
  securityGroups: { 'sg-0a': 'web' },
}

/** Knows two images; the rest does not exist. */
export class KnownImages implements FunctionImages {
  readonly #digests: Readonly<Record<string, string>> = {
    'repository:tag': 'a'.repeat(64),
    'repository:next': 'b'.repeat(64),
  }

  resolve(uri: string) {
    const digestHex = this.#digests[uri]
    if (digestHex === undefined)
      return Promise.reject(new LambdaException('InvalidParameterValueException', `no ${uri}`))
    const resolvedUri = `repository@sha256:${digestHex}`
    return Promise.resolve({ image: { uri, resolvedUri, reference: resolvedUri }, digestHex })
  }

  prepare() {
    return Promise.resolve({ ready: true } as const)
  }
}

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Remembers the last answer byte for byte, which SDK objects hide. */
class RecordingHandler extends NodeHttpHandler {
  last: RawAnswer | undefined

  override async handle(...given: Parameters<NodeHttpHandler['handle']>) {
    const { response } = await super.handle(...given)
    const chunks: Buffer[] = []
    for await (const chunk of response.body as AsyncIterable<Buffer>) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    this.last = { status: response.statusCode, headers: response.headers, body: body.toString('utf8') }
    response.body = Readable.from([body])
    return { response }
  }
}

export interface ControlPlaneHost {
  readonly url: string
  readonly control: ControlPlane
  readonly images: ReadyImages
  readonly keys: Keyring
  readonly logged: { readonly message: string }[]
  /** What was logged beside each message. */
  readonly logDetails: readonly object[]
  readonly events: readonly PlatformEvent[]
  client(changes?: LambdaClientConfig): LambdaClient & { last(): RawAnswer }
  /** Waits until no function is Pending or InProgress any more. */
  settled(): Promise<void>
  /** Moves the host's clock. */
  advance(ms: number): void
  close(): Promise<void>
}

export interface ControlPlaneHostOptions {
  readonly objects?: S3Objects
  readonly code?: CodeStore
  /** Answers Invoke; without it the answer tells what was asked. */
  readonly invoke?: (store: Store) => ApiOptions['invoke']
  /** As in HEARTH_REVOKED_SIGNATURES. */
  readonly revoked?: readonly string[]
  /** As HEARTH_STATE_DELAY_MS. */
  readonly stateDelayMs?: number
}

export const NO_S3: S3Objects = { get: () => Promise.reject(new Error('no S3 here')) }

export async function startControlPlaneHost({
  objects = NO_S3,
  code = new MemoryCodeStore(),
  invoke,
  revoked = [],
  stateDelayMs = 0,
}: ControlPlaneHostOptions = {}): Promise<ControlPlaneHost> {
  const folder = mkdtempSync(join(tmpdir(), 'hearth-conformance-'))
  const store = await openStore(join(folder, 'hearth.db'))
  const images = new ReadyImages()
  const keys = new Keyring(join(folder, 'keys'))
  const bus = new EventBus()
  const events: PlatformEvent[] = []
  bus.subscribe((event) => events.push(event))
  const logged: { message: string }[] = []
  const logDetails: object[] = []
  const hear = (detail: object, message: string) => {
    logged.push({ message })
    logDetails.push(detail)
  }
  const log = { info: () => {}, warn: hear, error: hear }
  let advanced = 0
  const clock = () => Date.now() + advanced
  const control = createControlPlane({
    store,
    code,
    objects,
    functionImages: new KnownImages(),
    images,
    keys,
    room: ROOM,
    revokedSignatures: revokedSignatures(revoked),
    bus,
    clock,
    settings: { accountConcurrency: 1000, unreservedMinimum: 100, architecture: 'x86_64', stateDelayMs },
    log,
  })
  const api = createApi({
    control,
    caller: { account: '111111111111', region: 'us-east-1', accessKeys: { AKIDOFTWO: '222222222222' } },
    invoke:
      invoke?.(store) ??
      (async ({ name }, caller) => ({ status: 200, headers: {}, body: JSON.stringify({ invoked: name, ...caller }) })),
    uploads: new Uploads(),
    codeLocation: { secret: randomBytes(32), code, clock },
    log,
  })
  const server = serve({ fetch: api.fetch, port: 0, hostname: '127.0.0.1' })
  await new Promise<void>((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const clients: LambdaClient[] = []
  return {
    url,
    control,
    images,
    keys,
    logged,
    logDetails,
    events,
    client(changes = {}) {
      const requestHandler = new RecordingHandler()
      const client = new LambdaClient({
        endpoint: url,
        region: 'us-east-1',
        credentials: { accessKeyId: 'AKIA111111111111', secretAccessKey: 'any' },
        maxAttempts: 1,
        requestHandler,
        ...changes,
      })
      clients.push(client)
      return Object.assign(client, {
        last() {
          if (requestHandler.last === undefined) throw new Error('no answer yet')
          return requestHandler.last
        },
      })
    },
    settled: () => control.settled(),
    advance(ms) {
      advanced += ms
    },
    async close() {
      for (const client of clients) client.destroy()
      await new Promise((resolve) => server.close(resolve))
      if (stateDelayMs > 0) control.close()
      await control.settled()
      await store.close()
      rmSync(folder, { recursive: true })
    },
  }
}
