// A container engine that answers: the one there is, or Debian's docker.io, installed and started.
import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { canInstall, install, isRoot } from './debian.mjs'
import { Refusal, ROOT, run, say, step } from './steps.mjs'

const SOCKET = '/var/run/docker.sock'
const START_LIMIT_MS = 90_000
const PING_LIMIT_MS = 10_000

/** Where the engine is, in the words of http.request. Throws Refusal when DOCKER_HOST cannot be understood. */
export function engineAddress(env = process.env) {
  const host = env.DOCKER_HOST || `unix://${usualSocket(env)}`
  if (host.startsWith('unix://'))
    return { shown: host, request: httpRequest, options: { socketPath: host.slice('unix://'.length) } }
  const match = /^(tcp|http|https):\/\/([^/:]+|\[[^\]]+\])(?::(\d+))?\/?$/.exec(host)
  if (match === null) {
    throw new Refusal(
      `DOCKER_HOST is ${host}, which Hearth cannot use: set it to unix:///path/of/socket or tcp://host:port, or unset it.`,
    )
  }
  const tls = match[1] === 'https' || Boolean(env.DOCKER_TLS_VERIFY)
  const options = { host: match[2].replace(/[[\]]/g, ''), port: Number(match[3] ?? (tls ? 2376 : 2375)) }
  if (!tls) return { shown: host, request: httpRequest, options }
  const folder = env.DOCKER_CERT_PATH || join(env.HOME ?? '/', '.docker')
  const file = (name) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name)) : undefined)
  return {
    shown: host,
    request: httpsRequest,
    options: { ...options, ca: file('ca.pem'), cert: file('cert.pem'), key: file('key.pem') },
  }
}

/** Docker Desktop's own socket where there is one, as Docker's client chooses it. */
function usualSocket(env) {
  const desktop = join(env.HOME || '/nonexistent', '.docker/run/docker.sock')
  return existsSync(desktop) ? desktop : SOCKET
}

/** `undefined` when the engine answers, else the reason: an errno name, or its HTTP status. */
export function ping(address = engineAddress()) {
  return new Promise((resolve) => {
    const asked = address.request(
      { ...address.options, path: '/_ping', timeout: PING_LIMIT_MS, agent: false },
      (response) => {
        response.resume()
        response.once('end', () => resolve(response.statusCode === 200 ? undefined : `HTTP ${response.statusCode}`))
        response.once('error', (error) => resolve(error.code ?? error.message))
      },
    )
    asked.once('timeout', () => asked.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })))
    asked.once('error', (error) => resolve(error.code ?? error.message))
    asked.end()
  })
}

/** Makes sure that an engine answers, or throws Refusal with the one thing to do. */
export async function ensureEngine() {
  const address = engineAddress()
  const problem = await ping(address)
  if (problem === undefined) return
  if (process.env.DOCKER_HOST) {
    throw new Refusal(
      `No container engine answers at DOCKER_HOST=${process.env.DOCKER_HOST} (${problem}): start it, or correct or unset DOCKER_HOST.`,
    )
  }
  if (problem === 'EACCES' || problem === 'EPERM') {
    throw new Refusal(
      `The Docker engine's socket ${SOCKET} refuses this user: join its group (sudo usermod -aG docker ${process.env.USER || 'YOU'}, then log in again), or run this as root.`,
    )
  }
  if (!isRoot()) {
    throw new Refusal(
      `No Docker engine answers at ${SOCKET} (${problem}): start it (sudo systemctl start docker), install one (Debian/Ubuntu: sudo apt-get install docker.io), name another one with DOCKER_HOST, or run this as root, which installs it for you on Debian and Ubuntu.`,
    )
  }
  if (findDockerd() === undefined) await installEngine()
  await step('Starting the Docker engine', startEngine)
}

async function installEngine() {
  if (!canInstall()) {
    throw new Refusal(
      `No Docker engine answers at ${SOCKET}, and Hearth installs one only on Debian and Ubuntu: install Docker (https://docs.docker.com/engine/install), or name an engine with DOCKER_HOST.`,
    )
  }
  if (process.stdin.isTTY && process.stdout.isTTY && !process.env.CI) {
    const terminal = createInterface({ input: process.stdin, output: process.stdout })
    const answer = await terminal.question("There is no Docker engine here. Install Debian's docker.io now? [Y/n] ")
    terminal.close()
    if (/^\s*n/i.test(answer)) {
      throw new Refusal(
        'Nothing was installed. Hearth needs a Docker engine: install one, or name one with DOCKER_HOST, and run the same command again.',
      )
    }
  } else {
    say("There is no Docker engine here, so this command, which runs as root, installs Debian's package docker.io.")
  }
  // cgroupfs-mount: where no init system has mounted the control groups, the engine cannot start without it.
  const cgroups = existsSync('/sys/fs/cgroup/cgroup.controllers') || existsSync('/sys/fs/cgroup/memory')
  await step('Installing docker.io', () => install(cgroups ? ['docker.io'] : ['docker.io', 'cgroupfs-mount']))
}

function findDockerd() {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/bin', '/usr/local/bin', '/usr/local/sbin']
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'dockerd'))
    .find((path) => existsSync(path))
}

async function startEngine() {
  const address = engineAddress()
  if (existsSync('/run/systemd/system')) {
    await run('systemctl', ['start', 'docker'], { quiet: true })
    if (await answers(address, () => false)) return
    throw new Refusal('The Docker engine does not start: `systemctl status docker` and `journalctl -u docker` say why.')
  }
  const dockerd = findDockerd()
  if (dockerd === undefined)
    throw new Refusal(
      'docker.io is installed, but there is no dockerd: reinstall the package (apt-get install --reinstall docker.io).',
    )
  mkdirSync(join(ROOT, '.hearth'), { recursive: true })
  const logPath = join(ROOT, '.hearth/dockerd.log')
  const log = openSync(logPath, 'w')
  // A session of its own: Ctrl-C in this terminal must not stop the engine under the host that is still draining.
  const child = spawn(dockerd, [], {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: '/',
    env: { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` },
  })
  closeSync(log)
  let ended
  child.once('exit', (code, signal) => {
    ended = `it ended with ${signal ?? `status ${code}`}`
  })
  child.once('error', (error) => {
    ended = error.message
  })
  child.unref()
  if (await answers(address, () => ended !== undefined)) {
    writeFileSync(join(ROOT, '.hearth/dockerd.pid'), `${child.pid}\n`)
    say(`The Docker engine keeps running after this command: process ${child.pid}, log .hearth/dockerd.log.`)
    return
  }
  if (ended === undefined) child.kill()
  const tail = readFileSync(logPath, 'utf8').trimEnd().split('\n').slice(-12).join('\n')
  throw new Refusal(
    `${tail}\n\nThe Docker engine does not start (${ended ?? `no answer within ${START_LIMIT_MS / 1000} s`}); its last lines are above, all of them in ${logPath}.`,
  )
}

async function answers(address, stop) {
  const limit = performance.now() + START_LIMIT_MS
  while (performance.now() < limit && !stop()) {
    if ((await ping(address)) === undefined) return true
    await delay(200)
  }
  return false
}
