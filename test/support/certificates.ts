/** Keys and certificates for tests of signatures, made with the library that reads them. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { Integer, Utf8String } from 'asn1js'
import { AttributeTypeAndValue, BasicConstraints, Certificate, Extension, ExtKeyUsage } from 'pkijs'

export interface Issued {
  readonly key: KeyObject
  readonly certificate: X509Certificate
  readonly pem: string
  readonly keyPem: string
}

export interface Wanted {
  readonly name: string
  /** Without one it signs itself. */
  readonly issuer?: Issued
  readonly ca?: boolean
  readonly serial?: number
  readonly from?: Date
  readonly until?: Date
  /** OIDs of the extended key usage. */
  readonly purposes?: readonly string[]
  readonly rsaBits?: number
  /** Whose key it gets instead of one of its own. */
  readonly key?: Issued
}

const EC = { name: 'ECDSA', namedCurve: 'P-256' }

export async function issue({ name, issuer, ca = false, serial = 4711, ...wanted }: Wanted): Promise<Issued> {
  const { from = new Date('2020-01-01'), until = new Date('2049-01-01'), purposes, rsaBits } = wanted
  const algorithm =
    rsaBits === undefined
      ? EC
      : {
          name: 'RSASSA-PKCS1-v1_5',
          modulusLength: rsaBits,
          publicExponent: new Uint8Array([1, 0, 1]),
          hash: 'SHA-256',
        }
  const pair = wanted.key
    ? { privateKey: await webKeyOf(wanted.key.key), publicKey: await publicKeyOf(wanted.key.certificate) }
    : await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = new Certificate({ version: 2, serialNumber: new Integer({ value: serial }) })
  certificate.subject.typesAndValues.push(named(name))
  certificate.issuer.typesAndValues.push(named(issuer?.certificate.subject.replace('CN=', '') ?? name))
  certificate.notBefore.value = from
  certificate.notAfter.value = until
  certificate.extensions = [
    extension('2.5.29.19', new BasicConstraints({ cA: ca }).toSchema().toBER()),
    ...(purposes === undefined
      ? []
      : [extension('2.5.29.37', new ExtKeyUsage({ keyPurposes: [...purposes] }).toSchema().toBER())]),
  ]
  await certificate.subjectPublicKeyInfo.importKey(pair.publicKey)
  await certificate.sign(issuer === undefined ? pair.privateKey : await webKeyOf(issuer.key), 'SHA-256')
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', pair.privateKey))
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  const x509 = new X509Certificate(Buffer.from(certificate.toSchema().toBER()))
  return { key, certificate: x509, pem: x509.toString(), keyPem: String(key.export({ type: 'pkcs8', format: 'pem' })) }
}

function named(name: string) {
  return new AttributeTypeAndValue({ type: '2.5.4.3', value: new Utf8String({ value: name }) })
}

function extension(extnID: string, extnValue: ArrayBuffer) {
  return new Extension({ extnID, critical: false, extnValue })
}

function webKeyOf(key: KeyObject) {
  const algorithm = key.asymmetricKeyType === 'ec' ? EC : { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  const pkcs8 = new Uint8Array(key.export({ type: 'pkcs8', format: 'der' }))
  return crypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign'])
}

function publicKeyOf(certificate: X509Certificate) {
  const spki = new Uint8Array(certificate.publicKey.export({ type: 'spki', format: 'der' }))
  return crypto.subtle.importKey('spki', spki, EC, true, ['verify'])
}
