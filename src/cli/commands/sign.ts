import { createPrivateKey, type KeyObject, randomUUID, type X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { Command, InvalidArgumentError } from 'commander'
import { certificatesOf } from '../../code/signature/trust.ts'
import { LIMITS } from '../../lambda/limits.ts'
import { SIGNING_PROFILE_VERSION, signingJobArn } from '../../lambda/package/signature.ts'
import { CliError } from '../failure.ts'
import { note, print, printJson } from '../output.ts'
import { readPackage } from '../package/package.ts'
import { example, wholeNumber, withJson } from './shared.ts'

interface Options {
  readonly key: string
  readonly cert: string
  readonly profile: string
  readonly validDays?: number
  readonly out?: string
  readonly json?: boolean
}

const DAY_MS = 24 * 60 * 60 * 1000
/** Days of AWS Signer's longest signature: 135 months. */
const VALID_DAYS_MAX = 135 * 31

export function signCommand(): Command {
  const command = new Command('sign')
    .description('sign a package or a layer, for functions with a code-signing configuration')
    .argument('<path>', 'folder or zip')
    .requiredOption('--key <file>', 'private key of the signer (PEM; RSA, or EC on P-256, P-384 or P-521)')
    .requiredOption(
      '--cert <file>',
      "the signer's certificate (PEM), followed by the certificates up to the trusted one",
    )
    .requiredOption('--profile <arn>', 'signing profile version to sign for, as in HEARTH_SIGNING_PROFILES', profile)
    .option(
      '--valid-days <days>',
      'days until the signature expires (default: when the certificate expires)',
      validDays,
    )
    .option('--out <file>', 'the signed zip (default: NAME.signed.zip in the current folder)')
    .addHelpText(
      'after',
      example(
        'hearth sign my-function --key release.key --cert release.pem \\',
        '    --profile arn:aws:signer:us-east-1:000000000000:/signing-profiles/release/0000000001',
      ),
    )
    .action(sign)
  return withJson(command)
}

async function sign(path: string, options: Options): Promise<void> {
  const { profile: profileVersionArn, validDays: days } = options
  const key = read(options.key, 'private key', (pem) => createPrivateKey(pem))
  const certificates = read(options.cert, 'certificate', certificatesOf)
  checkPair(key, certificates[0]!)
  const { zip, name, notes } = await readPackage(path)
  for (const text of notes) note(text)
  const jobArn = signingJobArn(profileVersionArn, randomUUID())
  const expires = days === undefined ? undefined : Date.now() + days * DAY_MS
  const { signedPackage } = await import('../package/signed-package.ts')
  const signed = await signedPackage(zip, { key, certificates, profileVersionArn, jobArn, expires }).catch(
    (error: unknown) => {
      throw new CliError(`${path} cannot be signed: ${error instanceof Error ? error.message : String(error)}`)
    },
  )
  const out = options.out ?? `${name}.signed.zip`
  writeFileSync(out, signed)
  if (signed.length > LIMITS.zipBytes) note(`${out} is too large to upload with a request: use S3.`)
  if (options.json) printJson({ path: out, profileVersionArn, jobArn, expires: isoDate(expires) })
  else print(`${out} is signed by ${jobArn}`)
}

function isoDate(unixMs: number | undefined): string | undefined {
  return unixMs === undefined ? undefined : new Date(unixMs).toISOString()
}

function read<T>(path: string, what: string, parse: (pem: Buffer) => T): T {
  try {
    return parse(readFileSync(path))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const hint =
      what === 'private key' ? 'Give a PEM file without a passphrase (openssl pkey -in FILE -out PLAIN).' : undefined
    throw new CliError(`The ${what} cannot be read from ${path}: ${reason}`, hint)
  }
}

function checkPair(key: KeyObject, certificate: X509Certificate): void {
  if (certificate.checkPrivateKey(key)) return
  throw new CliError(
    'The key does not belong to the certificate.',
    "--cert must begin with the signer's own certificate, followed by the certificates of the authorities in between.",
  )
}

function profile(text: string): string {
  if (SIGNING_PROFILE_VERSION.test(text)) return text
  throw new InvalidArgumentError(
    'It must be the ARN of a signing profile version: arn:aws:signer:REGION:ACCOUNT:/signing-profiles/NAME/VERSION, the version with ten letters or digits.',
  )
}

function validDays(text: string): number {
  const days = wholeNumber(text)
  if (days >= 1 && days <= VALID_DAYS_MAX) return days
  throw new InvalidArgumentError(`It must be 1 to ${VALID_DAYS_MAX}.`)
}
