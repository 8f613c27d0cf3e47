/**
 * Credentials for image registries, from where `docker login` and credential helpers keep them: config.json in DOCKER_CONFIG or ~/.docker.
 * Read at every use, so that a login works at once; never kept, and no part of any message.
 */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type Dockerode from 'dockerode'

const HELPER_LIMIT_MS = 30_000
const DOCKER_HUB = 'docker.io'
/** Its name in configurations. */
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/'

interface Login {
  readonly auth?: string
  readonly username?: string
  readonly password?: string
  readonly identitytoken?: string
}

interface Configuration {
  readonly auths?: Readonly<Record<string, Login>>
  readonly credHelpers?: Readonly<Record<string, string>>
  readonly credsStore?: string
}

/** Host of the registry that an image's name stands for; Docker's rule: a first part with a dot, a colon, or `localhost`. */
export function registryOf(image: string): string {
  const first = image.includes('/') ? image.slice(0, image.indexOf('/')) : ''
  return /[.:]/.test(first) || first === 'localhost' ? first : DOCKER_HUB
}

/**
 * What the engine takes as X-Registry-Auth; `undefined`: the operator has none for that registry.
 * @throws Error if the file cannot be read or a helper fails
 */
export async function credentialsFor(
  image: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Dockerode.AuthConfig | undefined> {
  const host = registryOf(image)
  const registry = host === DOCKER_HUB ? DOCKER_HUB_KEY : host
  const configuration = await readConfiguration(
    join(environment.DOCKER_CONFIG || join(homedir(), '.docker'), 'config.json'),
  )
  const helper = configuration.credHelpers?.[registry] ?? configuration.credsStore
  const login = helper
    ? await askHelper(helper, registry, environment)
    : Object.entries(configuration.auths ?? {}).find(([key]) => key === registry || hostOf(key) === host)?.[1]
  return login && authOf(login, registry)
}

async function readConfiguration(file: string): Promise<Configuration> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return {}
    throw new Error(`The registry credentials in ${file} cannot be read: ${code}.`)
  }
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null) return parsed
  } catch {
    // The parser's message shows a part of the text.
  }
  throw new Error(`The registry credentials in ${file} cannot be read: it is not a JSON object.`)
}

/** Old logins are kept by URL. */
function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
}

function authOf(login: Login, serveraddress: string): Dockerode.AuthConfig | undefined {
  const [username = '', ...rest] = Buffer.from(login.auth ?? '', 'base64')
    .toString()
    .replace(/\0+$/, '')
    .split(':')
  const known = {
    username: login.username ?? username,
    password: login.password ?? rest.join(':'),
    serveraddress,
    ...(login.identitytoken ? { identitytoken: login.identitytoken } : {}),
  }
  return known.username || known.identitytoken ? known : undefined
}

/** Protocol of docker-credential-helpers: the registry goes in, JSON comes out. */
function askHelper(helper: string, registry: string, environment: NodeJS.ProcessEnv): Promise<Login | undefined> {
  const program = `docker-credential-${helper}`
  if (!/^[\w.-]+$/.test(helper))
    return Promise.reject(new Error(`${JSON.stringify(helper)} is not a credential helper.`))
  return new Promise((resolve, reject) => {
    const options = { env: environment, timeout: HELPER_LIMIT_MS, killSignal: 'SIGKILL' } as const
    const child = execFile(program, ['get'], options, (error, output) => {
      if (error && /credentials not found/i.test(output)) return resolve(undefined)
      const problem = error && `Its end: ${error.code ?? error.signal}.`
      try {
        const { Username, Secret } = JSON.parse(output) as { Username?: string; Secret?: string }
        if (!problem && Username !== undefined && Secret !== undefined) {
          return resolve(Username === '<token>' ? { identitytoken: Secret } : { username: Username, password: Secret })
        }
      } catch {
        // Told below, without what it printed.
      }
      reject(new Error(`${program} gives no credentials for ${registry}. ${problem ?? 'It printed something else.'}`))
    })
    // A helper that is missing or ends early does not read.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(registry)
  })
}
