/**
 * The host's own pages for operators, mounted at `/_hearth`; not AWS. Everything here is read-only.
 *
 *   GET /health        200 only when invokes can be served, else 503; a full queue refuses Event invokes alone, and is only said
 *   GET /config        effective settings with their sources, secrets masked
 *   GET /environments  execution environments of the moment
 *   GET /metrics       Prometheus text
 *   GET /runtimes      runtimes, their images, and whether they are available
 *   GET /queue         asynchronous events and deliveries: depth, oldest age, counts by function
 *   GET /logs          function logs as NDJSON: function= or group=, since= (Unix ms), limit=, follow=1, account=, region=
 */
import { Hono } from 'hono'
import { answerLogs, type LogsOptions } from './admin-logs.ts'

export interface Health {
  /** Whether an invoke that came now could be served. */
  readonly ready: boolean
  /** One line for each thing that was looked at: `ok`, or what is wrong and what to do. */
  readonly checks: Readonly<Record<string, string>>
}

export interface AdminOptions extends LogsOptions {
  readonly health: () => Promise<Health>
  readonly config: () => unknown
  readonly environments: () => readonly unknown[]
  readonly metrics: () => Promise<string>
  readonly queue: () => Promise<object>
  readonly runtimes: () => Promise<readonly unknown[]>
}

/** Body of a refused or unknown request. */
export interface AdminError {
  readonly message: string
}

export function createAdmin(options: AdminOptions): Hono {
  const app = new Hono()

  app.use(async (c, next) => {
    c.header('Cache-Control', 'no-store')
    await next()
  })

  app.get('/health', async (c) => {
    const health = await options.health()
    return c.json(health, health.ready ? 200 : 503)
  })
  app.get('/config', (c) => c.json(options.config() as object))
  app.get('/environments', (c) => c.json(options.environments()))
  app.get('/runtimes', async (c) => c.json(await options.runtimes()))
  app.get('/metrics', async (c) =>
    c.body(await options.metrics(), 200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }),
  )
  app.get('/queue', async (c) => c.json(await options.queue()))
  app.get('/logs', (c) => answerLogs(c, options))

  app.all('*', (c) =>
    c.json<AdminError>(
      {
        message:
          'This path does not exist. Use GET /_hearth/health, /config, /environments, /metrics, /queue, /runtimes or /logs.',
      },
      c.req.method === 'GET' ? 404 : 405,
    ),
  )
  return app
}
