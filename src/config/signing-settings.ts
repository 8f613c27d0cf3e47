/** Settings of code signing: whose signatures are trusted. */
import { REVOKED_SIGNATURE, SIGNING_PROFILE_VERSION } from '../lambda/package/signature.ts'
import { setting } from './setting.ts'
import { pairs, textList } from './values.ts'

export const SIGNING_SETTINGS = {
  signingProfiles: setting({
    env: 'HEARTH_SIGNING_PROFILES',
    form: 'ARN=FILE,…',
    description:
      'Which signers code-signing configurations may trust. Each signing profile version has a PEM file with the certificates of its signers or of the authorities that issued them (docs/code-signing.md).',
    schema: pairs(
      SIGNING_PROFILE_VERSION,
      /^[^\0]{1,4000}$/,
      'must be pairs of signing profile version ARN and file, for example arn:aws:signer:us-east-1:000000000000:/signing-profiles/release/0000000001=/etc/hearth/release.pem',
    ),
    fallback: () => ({}),
    defaultText: 'none',
  }),
  revokedSignatures: setting({
    env: 'HEARTH_REVOKED_SIGNATURES',
    form: 'NAME,…',
    description:
      'Signatures that Hearth no longer trusts. Each entry is the ARN of a signing profile version, the ARN of a signing job, or serial:HEX of a certificate.',
    schema: textList(
      REVOKED_SIGNATURE,
      'must be ARNs of signing profile versions or signing jobs, or serial:HEX of certificates, separated by commas',
    ),
    fallback: () => [],
    defaultText: 'none',
  }),
} as const
