/**
 * Signature blocks: CMS SignedData (RFC 5652) over content that lies beside them. The library is large: import this file when it is needed.
 */
import { type KeyObject, type webcrypto, X509Certificate } from 'node:crypto'
import * as asn1 from 'asn1js'
import * as pki from 'pkijs'
import { SignatureFault } from './fault.ts'
import type { Digest } from './files.ts'

const CERTIFICATES = 16
const RSA_BITS = 2048

const SHA_2 = new Set(['2.16.840.1.101.3.4.2.1', '2.16.840.1.101.3.4.2.2', '2.16.840.1.101.3.4.2.3'])
/** RSA (PKCS #1 v1.5) and ECDSA with SHA-256, SHA-384, SHA-512; the first is RSA with the hash named beside it. */
const ALGORITHMS = new Set([
  '1.2.840.113549.1.1.1',
  '1.2.840.113549.1.1.11',
  '1.2.840.113549.1.1.12',
  '1.2.840.113549.1.1.13',
  '1.2.840.10045.4.3.2',
  '1.2.840.10045.4.3.3',
  '1.2.840.10045.4.3.4',
])
const DATA = '1.2.840.113549.1.7.1'
const CONTENT_TYPE = '1.2.840.113549.1.9.3'
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4'

const UNREADABLE = 'its signature block cannot be read'

const DIGEST: Digest = 'SHA-256'

export interface Signed {
  readonly signer: X509Certificate
  /** All that the block brings along, the signer's included; nothing is known of them yet. */
  readonly certificates: readonly X509Certificate[]
}

/** Who signed the content. @throws SignatureFault when nobody did, or not with an algorithm that counts today */
export async function readBlock(block: Buffer, content: Buffer): Promise<Signed> {
  try {
    return await verified(parsed(block), content)
  } catch (error) {
    if (error instanceof SignatureFault) throw error
    throw new SignatureFault(UNREADABLE, { cause: error })
  }
}

function parsed(block: Buffer): pki.SignedData {
  const { result, offset } = asn1.fromBER(block)
  if (offset === -1) throw new SignatureFault(UNREADABLE, { cause: result.error })
  // What follows the signature would be bytes that nobody signed.
  if (offset !== block.length) throw new SignatureFault('its signature block has more than a signature')
  const info = new pki.ContentInfo({ schema: result })
  if (info.contentType !== pki.ContentInfo.SIGNED_DATA)
    throw new SignatureFault('its signature block holds no signature')
  return new pki.SignedData({ schema: info.content })
}

async function verified(signed: pki.SignedData, content: Buffer): Promise<Signed> {
  const [info] = signed.signerInfos
  if (info === undefined || signed.signerInfos.length > 1) {
    throw new SignatureFault('its signature block must have one signer')
  }
  if (signed.encapContentInfo.eContent !== undefined) {
    throw new SignatureFault('its signature block has a content of its own')
  }
  if (!SHA_2.has(info.digestAlgorithm.algorithmId) || !ALGORITHMS.has(info.signatureAlgorithm.algorithmId)) {
    throw new SignatureFault('its signature must be RSA or ECDSA with SHA-256, SHA-384 or SHA-512')
  }
  const attached = (signed.certificates ?? []).filter((one) => one instanceof pki.Certificate)
  if (attached.length > CERTIFICATES) throw new SignatureFault('its signature block has too many certificates')
  const data = new Uint8Array(content).buffer
  const result = await signed.verify({ signer: 0, data, extendedMode: true }).catch(() => undefined)
  if (result?.signatureVerified !== true || !result.signerCertificate) {
    throw new SignatureFault('its signature does not match')
  }
  const toNode = (one: pki.Certificate) => new X509Certificate(Buffer.from(one.toSchema().toBER()))
  const signer = toNode(result.signerCertificate)
  const { modulusLength = RSA_BITS } = signer.publicKey.asymmetricKeyDetails ?? {}
  if (modulusLength < RSA_BITS) throw new SignatureFault(`its RSA key must have ${RSA_BITS} bits at least`)
  return { signer, certificates: attached.map(toNode) }
}

/** A block for the content. `key` is that of the first certificate. @throws Error: a key that is neither RSA nor on a NIST curve */
export async function makeBlock(
  content: Buffer,
  key: KeyObject,
  certificates: readonly X509Certificate[],
): Promise<Buffer> {
  const chain = certificates.map(({ raw }) => pki.Certificate.fromBER(new Uint8Array(raw)))
  const { issuer, serialNumber } = chain[0]!
  const digest = await crypto.subtle.digest(DIGEST, new Uint8Array(content))
  const attributes = [
    new pki.Attribute({ type: CONTENT_TYPE, values: [new asn1.ObjectIdentifier({ value: DATA })] }),
    new pki.Attribute({ type: MESSAGE_DIGEST, values: [new asn1.OctetString({ valueHex: digest })] }),
  ]
  const signed = new pki.SignedData({
    version: 1,
    encapContentInfo: new pki.EncapsulatedContentInfo({ eContentType: DATA }),
    signerInfos: [
      new pki.SignerInfo({
        version: 1,
        sid: new pki.IssuerAndSerialNumber({ issuer, serialNumber }),
        signedAttrs: new pki.SignedAndUnsignedAttributes({ type: 0, attributes }),
      }),
    ],
    certificates: chain,
  })
  await signed.sign(await webKey(key), 0, DIGEST, new Uint8Array(content).buffer)
  const info = new pki.ContentInfo({ contentType: pki.ContentInfo.SIGNED_DATA, content: signed.toSchema(true) })
  return Buffer.from(info.toSchema().toBER())
}

const CURVES: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' }

async function webKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? '']
  if (key.asymmetricKeyType !== 'rsa' && curve === undefined) {
    throw new Error('the key must be RSA, or EC on the curve P-256, P-384 or P-521')
  }
  const algorithm =
    curve === undefined ? { name: 'RSASSA-PKCS1-v1_5', hash: DIGEST } : { name: 'ECDSA', namedCurve: curve }
  const pkcs8 = new Uint8Array(key.export({ type: 'pkcs8', format: 'der' }))
  return crypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign'])
}
