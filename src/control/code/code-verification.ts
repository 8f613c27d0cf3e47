/** Whether code may be deployed under a function's code-signing configuration: signatures of its package and of its layers. */

import { LambdaException } from '../../lambda/errors.ts'
import type { FunctionKey, LayerReference } from '../../lambda/function.ts'
import type { CodeSigningConfig } from '../../lambda/package/code-signing.ts'
import type { PackageReference } from '../../lambda/package/package.ts'
import { type Fault, judge, type Signing, type Verdict } from '../../lambda/package/signature.ts'
import type { VerifiedUnder } from '../../store/code-signing-store.ts'
import type { EventBus } from '../../telemetry/events.ts'
import type { CodeStore } from './code-store.ts'

export interface VerificationNeeds {
  readonly code: CodeStore
  /** Names of `Trusting.revoked`. */
  readonly revokedSignatures: ReadonlySet<string>
  readonly bus: EventBus
  /** Unix milliseconds. */
  readonly clock: () => number
  readonly log: { warn(detail: object, message: string): void }
}

export interface Deployment {
  /** The function's package; absent where only layers change. */
  readonly code?: PackageReference
  readonly layers: readonly LayerReference[]
}

type Untrusted = Extract<Verdict, { readonly trusted: false }>

interface Part {
  readonly name: string
  readonly verdict: Verdict
}

/** What may be deployed. */
export interface Verified extends VerifiedUnder {
  /** Who signed the function's package, if that is one of the publishers. */
  readonly signing: Signing | undefined
  /** Let through by the policy Warn. */
  readonly warnings: readonly { readonly part: string; readonly fault: Fault; readonly reason: string }[]
}

export class CodeVerification {
  readonly #needs: VerificationNeeds

  constructor(needs: VerificationNeeds) {
    this.#needs = needs
  }

  /**
   * Nothing is looked at without a configuration.
   * @throws LambdaException InvalidCodeSignatureException (changed after it was signed, whatever the policy), CodeVerificationFailedException
   */
  async verify(config: CodeSigningConfig | undefined, { code, layers }: Deployment): Promise<Verified> {
    if (config === undefined) return { config, signing: undefined, warnings: [] }
    const parts: Part[] = []
    const add = async (name: string, reference: PackageReference) =>
      parts.push({ name, verdict: await this.#judge(reference, config.publishers) })
    if (code !== undefined) await add(PACKAGE, code)
    for (const layer of layers) await add(layer.arn, { codeSha256: layer.codeSha256 })
    const warnings = parts.flatMap(({ name, verdict }) => (verdict.trusted ? [] : [passed(name, verdict, config)]))
    const signer = parts.find(({ name }) => name === PACKAGE)?.verdict
    return { config, signing: signer?.trusted ? signer.signing : undefined, warnings }
  }

  /** Called when it is: logs and counts what the policy let through. */
  deployed(key: FunctionKey, { warnings }: Verified): void {
    const { log, bus } = this.#needs
    for (const { part, fault, reason } of warnings) {
      const { account, region, name } = key
      log.warn({ function: name, account, region, fault }, `untrusted code was deployed: ${part}: ${reason}`)
      bus.emit({ type: 'code.untrusted', function: key, fault })
    }
  }

  /** Who signed a package, if the operator trusts the signature. */
  async signer(reference: PackageReference): Promise<Signing | undefined> {
    const verdict = await this.#judge(reference, undefined)
    return verdict.trusted ? verdict.signing : undefined
  }

  async #judge(reference: PackageReference, publishers: readonly string[] | undefined): Promise<Verdict> {
    const { code, revokedSignatures, clock } = this.#needs
    return judge(await code.signatures(reference), { publishers, revoked: revokedSignatures, now: clock() })
  }
}

const PACKAGE = 'the deployment package'

/** The beginning of the second text is AWS's; the rest says what is wrong. (unverified) the first text */
function passed(
  part: string,
  { fault, reason }: Untrusted,
  { policy }: CodeSigningConfig,
): Verified['warnings'][number] {
  if (fault === 'integrity') {
    throw new LambdaException(
      'InvalidCodeSignatureException',
      `Lambda cannot deploy the function. The integrity check of the code signature failed for ${part}: ${reason}.`,
    )
  }
  if (policy === 'Warn') return { part, fault, reason }
  throw new LambdaException(
    'CodeVerificationFailedException',
    `Lambda cannot deploy the function. The function or layer might be signed using a signature that the client is not configured to accept. Check the provided signature for ${part}: ${reason}.`,
  )
}
