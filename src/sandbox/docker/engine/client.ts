/** The one connection to the container engine: a pool of kept-alive sockets. */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { inspect } from 'node:util'
import Dockerode from 'dockerode'
import { followCallSignals } from './call-signal.ts'

const SCHEMES = ['unix:', 'tcp:', 'http:', 'https:']

/**
 * Connects lazily, as `docker` does: DOCKER_HOST (`unix:///path`, `tcp://host:port`, with DOCKER_TLS_VERIFY and DOCKER_CERT_PATH), else
 * ~/.docker/run/docker.sock if it exists, else /var/run/docker.sock. Throws if DOCKER_HOST is nothing of these.
 */
export function connect(): Dockerode {
  const host = process.env.DOCKER_HOST
  if (host?.includes('//') && !SCHEMES.includes(host.slice(0, host.indexOf('//')))) {
    throw new Error(`DOCKER_HOST is ${host}; Hearth understands unix:///path/of/docker.sock and tcp://host:port.`)
  }
  const tls = process.env.DOCKER_TLS_VERIFY === '1' || host?.startsWith('https:') || host?.endsWith(':2376')
  const settings = { keepAlive: true, maxFreeSockets: 16 }
  const agent = tls ? new HttpsAgent(settings) : new HttpAgent(settings)
  // docker-modem describes each request for its debug log, agent and open sockets included, also when nobody reads it: with 50 requests
  // under way that stops the event loop for 10 ms, each time.
  Object.defineProperty(agent, inspect.custom, { value: () => 'Agent' })
  const options: Dockerode.DockerOptions & { agent: HttpAgent } = { agent }
  const docker = new Dockerode(options)
  followCallSignals(docker)
  return docker
}
