import { ONE_REGION } from '../../lambda/arn.ts'
import { LambdaException } from '../../lambda/errors.ts'
import { accountIdentity, type Identity, type RoleSession, sessionIdentity } from '../../lambda/role-session.ts'

/** Who calls, as every handler and the data plane see it: the request's account and region. */
export interface Caller {
  readonly account: string
  readonly region: string
  /** The key is that of a living execution environment. */
  readonly session?: RoleSession
}

/** As whom sts:GetCallerIdentity knows the caller. */
export function identityOf(caller: Caller): Identity {
  return caller.session === undefined ? accountIdentity(caller) : sessionIdentity(caller.session)
}

export interface CallerOptions {
  /** Account used when the access key does not name one. */
  readonly account: string
  /** Region of requests that are not signed. */
  readonly region: string
  /** Accounts by access key id. */
  readonly accessKeys?: Readonly<Record<string, string>>
  /** The living environment that an access key id was given to. */
  readonly session?: (accessKeyId: string) => RoleSession | undefined
}

/** AWS4-HMAC-SHA256 Credential=<access key>/<date>/<region>/<service>/aws4_request, … */
const CREDENTIAL = /Credential=([^/,\s]{1,256})\/[^/,\s]{1,16}\/([^/,\s]{1,64})\//
const ACCOUNT_AT_THE_END = /\d{12}$/
/** The form of the keys that execution environments get. */
const ENVIRONMENT_KEY = /^ASIA[A-Z0-9]{4}\d{12}$/

/** Callers differ by access key and region; the bound guards against made-up ones. */
const REMEMBERED_MAX = 1000

/**
 * Finds the caller of a request. The region is that of the credential scope, the account that of the access key: configured, or the
 * twelve digits at the key's end. Signatures are not verified here. A malformed header counts as no header. A key of an execution
 * environment ends with it.
 */
export class Callers {
  readonly #default: Caller
  readonly #accounts: ReadonlyMap<string, string>
  readonly #session: (accessKeyId: string) => RoleSession | undefined
  /** By the text of the credential, so that a warm request costs one look-up and no object. */
  readonly #known = new Map<string, Caller>()

  constructor(options: CallerOptions) {
    this.#default = { account: options.account, region: options.region }
    this.#accounts = new Map(Object.entries(options.accessKeys ?? {}))
    this.#session = options.session ?? (() => undefined)
  }

  /**
   * @param authorization the header
   * @param credential X-Amz-Credential of a presigned URL
   * @throws LambdaException UnrecognizedClientException for the key of an environment that is gone
   */
  of(authorization: string | undefined, credential?: string): Caller {
    const signed = authorization ?? (credential === undefined ? undefined : `Credential=${credential}`)
    if (signed === undefined) return this.#default
    const end = signed.indexOf('aws4_request')
    if (end === -1) return this.#default
    const scope = signed.slice(0, end)
    const known = this.#known.get(scope)
    if (known) return known
    const match = CREDENTIAL.exec(scope)
    if (match === null) return this.#default
    const [, accessKey = '', scopeRegion = ''] = match
    const region = ONE_REGION.test(scopeRegion) ? scopeRegion : this.#default.region
    const configured = this.#accounts.get(accessKey)
    // Never remembered: it ends with its environment.
    if (configured === undefined && ENVIRONMENT_KEY.test(accessKey)) return this.#environment(accessKey, region)
    const account = configured ?? ACCOUNT_AT_THE_END.exec(accessKey)?.[0] ?? this.#default.account
    const caller: Caller = { account, region }
    if (this.#known.size >= REMEMBERED_MAX) this.#known.clear()
    if (scope.length <= 512) this.#known.set(scope, caller)
    return caller
  }

  #environment(accessKeyId: string, region: string): Caller {
    const session = this.#session(accessKeyId)
    if (session !== undefined) return { account: session.account, region, session }
    throw new LambdaException('UnrecognizedClientException', 'The security token included in the request is invalid.')
  }
}
