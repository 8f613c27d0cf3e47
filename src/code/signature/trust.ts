/** The operator's signing profiles: which certificates each of their versions trusts, and whether a signer's lead to one. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { serialOf, type Trust } from '../../lambda/package/signature.ts'
import { OperatorError } from '../../telemetry/operator-error.ts'
import type { Signed } from './cms.ts'

/** Certificates by ARN of the profile version. */
export type TrustedProfiles = ReadonlyMap<string, readonly X509Certificate[]>

/** Bytes of a file of certificates. */
const FILE_BYTES = 1024 * 1024

const CODE_SIGNING = '1.3.6.1.5.5.7.3.3'
const ANY_PURPOSE = '2.5.29.37.0'

const REMEDY = 'Correct HEARTH_SIGNING_PROFILES, or put the certificates there (PEM); docs/code-signing.md shows how.'

/**
 * @param files PEM file of each profile version
 * @throws OperatorError: a host that does not know whom to trust must not start
 */
export function readProfiles(files: Readonly<Record<string, string>>): TrustedProfiles {
  return new Map(
    Object.entries(files).map(([arn, path]) => {
      try {
        return [arn, certificatesOf(readFileSync(path))]
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        throw new OperatorError(
          `The certificates of the signing profile ${arn} cannot be read from ${path}: ${reason}`,
          REMEDY,
          { cause: error },
        )
      }
    }),
  )
}

/** @throws Error */
export function certificatesOf(pem: Buffer): X509Certificate[] {
  if (pem.length > FILE_BYTES) throw new Error('the file is too large for certificates')
  const found = pem.toString('latin1').match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
  if (found.length === 0) throw new Error('it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)')
  return found.map((one) => new X509Certificate(one))
}

/** The profile versions that trust the signer. Whether the certificates are valid today, or revoked, is not asked here. */
export function trustOf({ signer, certificates }: Signed, profiles: TrustedProfiles): Trust[] {
  // What a certificate says it is for, it is for; one that says nothing is for anything.
  const purposes = signer.keyUsage
  if (purposes !== undefined && !purposes.includes(CODE_SIGNING) && !purposes.includes(ANY_PURPOSE)) return []
  return [...profiles].flatMap(([profileVersionArn, anchors]) => {
    const chain = chainTo(anchors, signer, certificates)
    if (chain === undefined) return []
    return [
      {
        profileVersionArn,
        validFrom: Math.max(...chain.map(({ validFrom }) => Date.parse(validFrom))),
        validUntil: Math.min(...chain.map(({ validTo }) => Date.parse(validTo))),
        serials: chain.map(({ serialNumber }) => serialOf(serialNumber)),
      },
    ]
  })
}

/**
 * Certificates from the signer's to one that is trusted, each issued by the next one. Each is looked at once: certificates that issue each
 * other in all ways would take for ever otherwise.
 */
function chainTo(
  anchors: readonly X509Certificate[],
  signer: X509Certificate,
  between: readonly X509Certificate[],
): readonly X509Certificate[] | undefined {
  const left = new Set(between)
  const waiting: (readonly X509Certificate[])[] = [[signer]]
  for (let chain = waiting.shift(); chain !== undefined; chain = waiting.shift()) {
    const last = chain.at(-1)!
    if (anchors.some(({ raw }) => raw.equals(last.raw))) return chain
    const anchor = anchors.find((one) => issued(one, last))
    if (anchor !== undefined) return [...chain, anchor]
    for (const next of left) {
      if (!issued(next, last)) continue
      left.delete(next)
      waiting.push([...chain, next])
    }
  }
  return undefined
}

function issued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}
