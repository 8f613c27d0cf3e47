/** An image registry that serves images of this machine's engine: enough of the distribution protocol to ask for digests and to pull. */
import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import tar from 'tar-stream'
import { docker } from './images.ts'

export interface Registry {
  /** `127.0.0.1:PORT` */
  readonly host: string
  /** Serves the image under `repository:tag`. Returns the digest of its manifest. */
  offer(image: string, repository: string, tag: string): Promise<string>
  /** Every request waits until the returned function is called. */
  hold(): () => void
  /** From now on every request is denied. */
  deny(): void
  close(): Promise<void>
}

interface Served {
  readonly type: string
  readonly body: Buffer
}

export async function startRegistry(): Promise<Registry> {
  const served = new Map<string, Served>()
  let denied = false
  let gate = Promise.resolve()
  const server: Server = createServer(async (request, response) => {
    await gate
    const path = request.url ?? ''
    const found = served.get(path)
    if (denied) {
      response.writeHead(403, { 'Content-Type': 'application/json' })
      response.end(
        JSON.stringify({ errors: [{ code: 'DENIED', message: 'requested access to the resource is denied' }] }),
      )
    } else if (path === '/v2/') response.end('{}')
    else if (found === undefined) {
      response.writeHead(404, { 'Content-Type': 'application/json' })
      response.end(JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] }))
    } else {
      response.writeHead(200, {
        'Content-Type': found.type,
        'Content-Length': found.body.length,
        'Docker-Content-Digest': digestOf(found.body),
      })
      response.end(request.method === 'HEAD' ? undefined : found.body)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    host: `127.0.0.1:${port}`,
    async offer(image, repository, tag) {
      const files = await saved(image)
      const [first] = JSON.parse(String(files.get('manifest.json'))) as { Config: string; Layers: string[] }[]
      const blob = (name: string, mediaType: string) => {
        const body = files.get(name) ?? Buffer.alloc(0)
        served.set(`/v2/${repository}/blobs/${digestOf(body)}`, { type: 'application/octet-stream', body })
        return { mediaType, size: body.length, digest: digestOf(body) }
      }
      const type = 'application/vnd.docker.distribution.manifest.v2+json'
      const manifest = {
        schemaVersion: 2,
        mediaType: type,
        config: blob(first?.Config ?? '', 'application/vnd.docker.container.image.v1+json'),
        layers: (first?.Layers ?? []).map((name) => blob(name, 'application/vnd.docker.image.rootfs.diff.tar.gzip')),
      }
      const body = Buffer.from(JSON.stringify(manifest))
      served.set(`/v2/${repository}/manifests/${tag}`, { type, body })
      served.set(`/v2/${repository}/manifests/${digestOf(body)}`, { type, body })
      return digestOf(body)
    },
    hold() {
      let release = () => {}
      gate = new Promise((resolve) => {
        release = resolve
      })
      return release
    },
    deny() {
      denied = true
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function digestOf(body: Buffer): string {
  return `sha256:${createHash('sha256').update(body).digest('hex')}`
}

/** The files of `docker save`. */
async function saved(image: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>()
  const extract = tar.extract()
  const archive = await docker.getImage(image).get()
  archive.pipe(extract)
  for await (const entry of extract) {
    const chunks: Buffer[] = []
    for await (const chunk of entry) chunks.push(chunk as Buffer)
    files.set(entry.header.name, Buffer.concat(chunks))
  }
  return files
}
