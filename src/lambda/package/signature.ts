/** What the signatures of a package say, and what that is worth: pure, whatever the package and the operator's certificates are. */

/** What the signer of a package is called where the package is shown. */
export interface Signing {
  readonly profileVersionArn: string
  /** Absent where the signature names none. */
  readonly jobArn?: string
}

/** What a package says about its origin, as far as it can be said without a code-signing configuration. */
export type SignatureReading =
  | { readonly kind: 'unsigned' }
  /** `reason` ends a sentence. */
  | { readonly kind: 'corrupt'; readonly reason: string }
  | { readonly kind: 'signed'; readonly signatures: readonly Signature[] }

/** A signature that covers the whole package. */
export interface Signature {
  /** Subject of the signer's certificate. */
  readonly signer: string
  /** The only profile version that it wants to be taken for; absent: whichever trusts its certificate. */
  readonly profileVersionArn?: string
  readonly jobArn?: string
  /** Unix milliseconds. */
  readonly expires?: number
  /** Profile versions of the operator that trust the signer, each with the certificates that lead to it. */
  readonly trust: readonly Trust[]
}

export interface Trust {
  readonly profileVersionArn: string
  /** Unix milliseconds between which every certificate of the chain is valid. */
  readonly validFrom: number
  readonly validUntil: number
  /** Serial numbers of the chain's certificates, in upper-case hex without leading zeros. */
  readonly serials: readonly string[]
}

export type Fault = 'integrity' | 'unsigned' | 'mismatch' | 'expired' | 'revoked'

export type Verdict =
  | { readonly trusted: true; readonly signing: Signing }
  /** `reason` ends a sentence. */
  | { readonly trusted: false; readonly fault: Fault; readonly reason: string }

export interface Trusting {
  /** `undefined`: every profile version that the operator trusts. */
  readonly publishers: readonly string[] | undefined
  /** ARNs of profile versions and of jobs, and `serial:HEX` of certificates. */
  readonly revoked: ReadonlySet<string>
  /** Unix milliseconds. */
  readonly now: number
}

/** Of several signatures one that is trusted is enough; without one the fault that came closest to trust is told. */
const CLOSENESS: readonly Fault[] = ['integrity', 'unsigned', 'mismatch', 'expired', 'revoked']

export function judge(reading: SignatureReading, trusting: Trusting): Verdict {
  if (reading.kind === 'corrupt') return untrusted('integrity', reading.reason)
  if (reading.kind === 'unsigned') return untrusted('unsigned', 'it is not signed')
  const verdicts = reading.signatures.flatMap((signature) => judgeSignature(signature, trusting))
  return (
    verdicts.find(({ trusted }) => trusted) ??
    verdicts.reduce((best, verdict) => (closeness(verdict) > closeness(best) ? verdict : best))
  )
}

function closeness(verdict: Verdict): number {
  return verdict.trusted ? CLOSENESS.length : CLOSENESS.indexOf(verdict.fault)
}

/** One verdict for each profile version that trusts the signer; never empty. */
function judgeSignature(signature: Signature, { publishers, revoked, now }: Trusting): Verdict[] {
  const { signer, profileVersionArn: named, jobArn, expires } = signature
  const trust = signature.trust.filter((one) => named === undefined || one.profileVersionArn === named)
  if (trust.length === 0) {
    const profile = named === undefined ? 'a signing profile' : `the signing profile ${named}`
    return [
      untrusted('mismatch', `the certificate of its signer (${signer}) does not belong to ${profile} of this host`),
    ]
  }
  return trust.map((one) => {
    const { profileVersionArn, validFrom, validUntil, serials } = one
    if (publishers !== undefined && !publishers.includes(profileVersionArn)) {
      return untrusted('mismatch', `it is signed by ${profileVersionArn}, which is no allowed publisher`)
    }
    const taken = [profileVersionArn, ...(jobArn === undefined ? [] : [jobArn]), ...serials.map((s) => `serial:${s}`)]
    const recalled = taken.find((name) => revoked.has(name))
    if (recalled !== undefined) return untrusted('revoked', `${recalled} is revoked`)
    if (now < validFrom) {
      return untrusted('expired', `the certificate of its signer (${signer}) is valid from ${date(validFrom)}`)
    }
    if (now > validUntil) {
      return untrusted('expired', `the certificate of its signer (${signer}) expired on ${date(validUntil)}`)
    }
    if (expires !== undefined && now > expires) return untrusted('expired', `its signature expired on ${date(expires)}`)
    return { trusted: true, signing: { profileVersionArn, ...(jobArn === undefined ? {} : { jobArn }) } }
  })
}

function untrusted(fault: Fault, reason: string): Verdict {
  return { trusted: false, fault, reason }
}

function date(unixMs: number): string {
  return new Date(unixMs).toISOString()
}

const SIGNER = 'arn:aws[a-zA-Z-]{0,20}:signer:[a-z0-9-]{1,30}:\\d{12}:'
const PROFILE_VERSION = `${SIGNER}/signing-profiles/[a-zA-Z0-9_]{2,64}/[a-zA-Z0-9]{10}`
const JOB = `${SIGNER}/signing-jobs/[a-zA-Z0-9-]{1,64}`

/** AWS Signer's own forms. */
export const SIGNING_PROFILE_VERSION = new RegExp(`^${PROFILE_VERSION}$`)
export const SIGNING_JOB = new RegExp(`^${JOB}$`)
export const REVOKED_SIGNATURE = new RegExp(`^(${PROFILE_VERSION}|${JOB}|serial:[0-9a-fA-F]{1,40})$`)

/** What `Trusting.revoked` holds, of the operator's list. */
export function revokedSignatures(list: readonly string[]): ReadonlySet<string> {
  return new Set(list.map((one) => (one.startsWith('serial:') ? `serial:${serialOf(one.slice(7))}` : one)))
}

/** Hex as tools print it: with or without leading zeros, in either case. */
export function serialOf(hex: string): string {
  return hex.toUpperCase().replace(/^0+(?=.)/, '')
}

/** Region and account of a job are those of its profile. */
export function signingJobArn(profileVersionArn: string, id: string): string {
  return `${profileVersionArn.split('/')[0]}/signing-jobs/${id}`
}
