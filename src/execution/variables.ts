/** The environment variables of a runtime process: pure, from the function's settings and the environment's place. */
import type { FunctionVersion } from '../lambda/function.ts'
import { runtimeEnvironment } from '../lambda/runtimes.ts'
import type { InitializationType } from './boot.ts'
import type { SessionCredentials } from './session-keys.ts'

export interface VariableContext {
  readonly version: FunctionVersion
  readonly initialization: InitializationType
  /** `host:port` of the environment's listener. */
  readonly runtimeApi: string
  readonly logStream: string
  /** Defaults that the operator puts into every function (HEARTH_FUNCTION_ENV_*). */
  readonly defaults: Readonly<Record<string, string>>
  readonly credentials: SessionCredentials
  /** Whether Lambda and STS answer on the listener too, so that one function can invoke another without configuration. */
  readonly sandboxApi: boolean
}

/** Where AWS's X-Ray daemon listens. Nothing answers here: SDKs send it datagrams that get lost. */
const XRAY_DAEMON = { address: '169.254.100.1', port: '2000' }

/**
 * Later groups win: variables of the runtime that a function may override (PATH, LANG, NODE_PATH …), the operator's defaults, the function's
 * own, then credentials and reserved variables. Source: developer guide, "Defined runtime environment variables".
 */
export function environmentVariables(context: VariableContext): Record<string, string> {
  const { version, runtimeApi } = context
  const user = version.environment ?? {}
  const variables: Record<string, string> = {
    ...(context.sandboxApi ? endpoints(`http://${runtimeApi}`) : {}),
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    AWS_XRAY_DAEMON_ADDRESS: `${XRAY_DAEMON.address}:${XRAY_DAEMON.port}`,
    _AWS_XRAY_DAEMON_ADDRESS: XRAY_DAEMON.address,
    _AWS_XRAY_DAEMON_PORT: XRAY_DAEMON.port,
    TZ: ':UTC',
    ...(version.runtime === undefined ? {} : runtimeEnvironment(version.runtime)),
    ...context.defaults,
    ...user,
    ...credentialsOf(context.credentials),
    ...(version.runtime === undefined ? {} : executionEnv(version.runtime)),
    // In an image it is the business of the entry point.
    ...(version.handler === undefined ? {} : { _HANDLER: version.handler }),
    AWS_REGION: version.region,
    AWS_DEFAULT_REGION: version.region,
    AWS_LAMBDA_FUNCTION_NAME: version.name,
    AWS_LAMBDA_FUNCTION_VERSION: version.version,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(version.memorySize),
    AWS_LAMBDA_INITIALIZATION_TYPE: context.initialization,
    AWS_LAMBDA_LOG_GROUP_NAME: version.logging.logGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: context.logStream,
    ...logVariables(version),
    AWS_LAMBDA_RUNTIME_API: runtimeApi,
    LAMBDA_TASK_ROOT: '/var/task',
    LAMBDA_RUNTIME_DIR: '/var/runtime',
  }
  bypassProxy(variables, runtimeApi)
  return variables
}

/** The runtime clients format and filter by these; without them they write text. */
function logVariables({ logging }: FunctionVersion): Record<string, string> {
  if (logging.logFormat !== 'JSON') return {}
  return { AWS_LAMBDA_LOG_FORMAT: 'JSON', AWS_LAMBDA_LOG_LEVEL: logging.applicationLogLevel ?? 'INFO' }
}

function executionEnv(runtime: string): Record<string, string> {
  const { AWS_EXECUTION_ENV } = runtimeEnvironment(runtime)
  return AWS_EXECUTION_ENV === undefined ? {} : { AWS_EXECUTION_ENV }
}

/** SDKs find services by these alone: without them a call would go to AWS. */
function endpoints(url: string): Record<string, string> {
  return { AWS_ENDPOINT_URL_LAMBDA: url, AWS_ENDPOINT_URL_STS: url }
}

function credentialsOf({ accessKeyId, secretAccessKey, sessionToken }: SessionCredentials): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  }
}

/** Go, Ruby, .NET and Java clients send Runtime API calls through HTTP_PROXY unless told otherwise (reference: runtime-clients 2.5). */
function bypassProxy(variables: Record<string, string>, runtimeApi: string): void {
  const proxied = Object.keys(variables).some((name) => /^(https?|all)_proxy$/i.test(name))
  if (!proxied) return
  const host = runtimeApi.slice(0, runtimeApi.lastIndexOf(':'))
  for (const name of ['NO_PROXY', 'no_proxy']) {
    const given = variables[name] ?? variables[name === 'NO_PROXY' ? 'no_proxy' : 'NO_PROXY']
    variables[name] = given ? `${given},${host}` : host
  }
}
