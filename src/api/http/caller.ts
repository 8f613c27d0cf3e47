import { ONE_REGION } from '../../lambda/arn.ts'

/** Who calls, as every handler and the data plane see it: the request's account and region. */
export interface Caller {
  readonly account: string
  readonly region: string
}

export interface CallerOptions {
  /** Account of requests whose access key says none. */
  readonly account: string
  /** Region of requests that are not signed. */
  readonly region: string
  /** Accounts by access key id. */
  readonly accessKeys?: Readonly<Record<string, string>>
}

/** AWS4-HMAC-SHA256 Credential=<access key>/<date>/<region>/<service>/aws4_request, … */
const CREDENTIAL = /Credential=([^/,\s]{1,256})\/[^/,\s]{1,16}\/([^/,\s]{1,64})\//
const ACCOUNT_AT_THE_END = /\d{12}$/

/** Callers differ by access key and region; the bound guards against made-up ones. */
const REMEMBERED_MAX = 1000

/**
 * Finds the caller of a request. The region is that of the credential scope, the account that of the access key: configured, or the
 * twelve digits at the key's end. Signatures are not verified here. A malformed header counts as no header.
 */
export class Callers {
  readonly #default: Caller
  readonly #accounts: ReadonlyMap<string, string>
  /** By the text of the credential, so that a warm request costs one look-up and no object. */
  readonly #known = new Map<string, Caller>()

  constructor(options: CallerOptions) {
    this.#default = { account: options.account, region: options.region }
    this.#accounts = new Map(Object.entries(options.accessKeys ?? {}))
  }

  /**
   * @param authorization the header
   * @param credential X-Amz-Credential of a presigned URL
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
    const [, accessKey = '', region = ''] = match
    const caller: Caller = {
      account: this.#accounts.get(accessKey) ?? ACCOUNT_AT_THE_END.exec(accessKey)?.[0] ?? this.#default.account,
      region: ONE_REGION.test(region) ? region : this.#default.region,
    }
    if (this.#known.size >= REMEMBERED_MAX) this.#known.clear()
    if (scope.length <= 512) this.#known.set(scope, caller)
    return caller
  }
}
