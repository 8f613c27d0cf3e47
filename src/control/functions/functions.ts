/** CreateFunction, GetFunction, ListFunctions, UpdateFunctionCode, UpdateFunctionConfiguration, DeleteFunction. */
import { isVersionNumber } from '../../lambda/arn.ts'
import { LambdaException } from '../../lambda/errors.ts'
import type { DecryptionError, FunctionConfiguration, FunctionKey, FunctionVersion } from '../../lambda/function.ts'
import type { MachineRoom } from '../../lambda/machine-room.ts'
import { refuseImage } from '../../lambda/package/code-signing.ts'
import { packageOf } from '../../lambda/package/package.ts'
import { checkRevision, functionNotFound, refused } from '../../lambda/refusals.ts'
import type { Written } from '../../store/function-store.ts'
import type { Page, PageRequest } from '../../store/page.ts'
import type { Store } from '../../store/store.ts'
import type { CodeSigning } from '../code/code-signing.ts'
import type { CodeConfiguration, CodeSource } from '../code/code-source.ts'
import type { CodeVerification, Verified } from '../code/code-verification.ts'
import { refuseQualifier } from '../refusals.ts'
import type { FunctionCode, UpdateFunctionCodeRequest, UpdateFunctionConfigurationRequest } from '../requests.ts'
import { checkCreation } from './creation.ts'
import { blank, checkRuntime, checkSettings, draft, withCode } from './draft.ts'
import type { CreationInput } from './function-input.ts'
import { type FunctionLayers, withLayers } from './function-layers.ts'
import { checkCodeUpdate, refuseSettingsOf } from './image-config.ts'
import type { Platform } from './platform.ts'
import type { Preparation } from './preparation.ts'
import type { Secrets } from './secrets.ts'
import { refuseUnsupportedCode, refuseUnsupportedSettings } from './unsupported.ts'

export interface FunctionsNeeds {
  readonly store: Store
  readonly source: CodeSource
  readonly platform: Platform
  readonly preparation: Preparation
  readonly layers: FunctionLayers
  readonly codeSigning: CodeSigning
  readonly verification: CodeVerification
  readonly secrets: Secrets
  readonly room: MachineRoom
  /** Unix milliseconds. */
  readonly clock: () => number
}

/** What GetFunction shows. */
export interface FunctionView {
  readonly version: FunctionVersion
  readonly tags: Readonly<Record<string, string>>
  readonly reservedConcurrency: number | undefined
  /** Why the package cannot be handed out. */
  readonly packageError: DecryptionError | undefined
}

export class Functions {
  readonly #needs: FunctionsNeeds

  constructor(needs: FunctionsNeeds) {
    this.#needs = needs
  }

  /** The new function in state Pending; `published` when Publish was asked for. */
  async create(key: FunctionKey, qualifier: string | undefined, input: CreationInput): Promise<Written> {
    const { store, platform, codeSigning, verification, secrets, room, clock } = this.#needs
    refuseQualifier(qualifier)
    const packageType = checkCreation(key, input, clock())
    const settings = draft(blank(key.name, input.role), input, { key, room })
    secrets.check(key, input.kmsKeyArn)
    const architecture = await platform.check(input.architectures?.[0], input.runtime)
    this.#needs.layers.checkRegions(key, input.layers ?? [])
    if (await store.functions.find(key)) {
      throw new LambdaException('ResourceConflictException', `Function already exist: ${key.name}`)
    }
    if (input.codeSigningConfigArn) refuseImage(packageType)
    const config = await codeSigning.named(key, input.codeSigningConfigArn)
    const layers = await this.#needs.layers.resolve(key, input.layers ?? [])
    const code = await this.#code(packageType, input.code, key, input.kmsKeyArn)
    const unsigned = withCode(withLayers(settings, layers), { code, architecture })
    const verified = await verification.verify(config, { code: packageOf({ ...key, ...code }), layers })
    const configuration = secrets.sealed(key, input, { ...unsigned, signing: verified.signing })
    const { tags = {}, publish = false } = input
    const written = await store.functions.create(key, { configuration, tags, publish, verified }, clock())
    return this.#deployed(key, written, verified)
  }

  /** @throws LambdaException ResourceNotFoundException */
  async get(key: FunctionKey, qualifier: string | undefined): Promise<FunctionView> {
    const { store } = this.#needs
    const stored = await store.functions.find(key)
    const version = stored && (await this.#versionBehind(key, qualifier, stored.latest))
    if (stored === undefined || version === undefined) throw functionNotFound(key, qualifier)
    return {
      version: this.#needs.secrets.shown(version),
      tags: stored.tags,
      reservedConcurrency: stored.reservedConcurrency,
      packageError: this.#needs.secrets.packageError(version),
    }
  }

  async list(
    account: string,
    region: string,
    page: PageRequest & { readonly allVersions?: boolean; readonly masterRegion?: string },
  ): Promise<Page<FunctionVersion>> {
    if (page.masterRegion !== undefined) {
      throw refused('MasterRegion selects replicas of Lambda@Edge, which Hearth does not have. Leave it out.')
    }
    const { items, nextMarker } = await this.#needs.store.functions.list(account, region, page)
    return { items: items.map((version) => this.#needs.secrets.shown(version)), nextMarker }
  }

  /** The new version when Publish was asked for, else `$LATEST`. */
  async updateCode(
    key: FunctionKey,
    qualifier: string | undefined,
    input: UpdateFunctionCodeRequest,
  ): Promise<Written> {
    const { store, platform, verification, clock } = this.#needs
    refuseQualifier(qualifier)
    refuseUnsupportedCode(input)
    const current = await this.#latest(key)
    const { packageType, layers = [] } = current
    checkCodeUpdate(packageType, input)
    const architecture = await platform.check(input.architectures?.[0] ?? current.architecture, current.runtime)
    const code = await this.#code(packageType, input, key, current.kmsKeyArn)
    const config = await store.codeSigning.ofFunction(key)
    const verified = await verification.verify(config, { code: packageOf({ ...key, ...code }), layers })
    const change = (latest: FunctionVersion) => {
      checkStill(packageType, latest)
      return { ...withCode(latest, { code, architecture }), signing: verified.signing }
    }
    const { publish = false, revisionId } = input
    if (input.dryRun) {
      checkRevision(revisionId, current.revisionId)
      return this.#shown({ latest: change(current) })
    }
    const written = await store.functions.beginUpdate(key, { change, publish, revisionId, verified }, clock())
    return this.#deployed(key, written, verified)
  }

  async updateConfiguration(
    key: FunctionKey,
    qualifier: string | undefined,
    input: UpdateFunctionConfigurationRequest,
  ): Promise<FunctionVersion> {
    const { store, platform, secrets, room, clock } = this.#needs
    refuseQualifier(qualifier)
    refuseUnsupportedSettings(input)
    checkSettings(input)
    const current = await this.#latest(key)
    const { packageType } = current
    refuseSettingsOf(packageType, input)
    // A function keeps a runtime that has been withdrawn since; only moving to such a one is refused.
    if (input.runtime !== undefined && input.runtime !== current.runtime) {
      checkRuntime(input.runtime, clock())
      await platform.check(current.architecture, input.runtime)
    }
    const relayered = await this.#needs.layers.change(key, input.layers, current)
    // Code that is deployed already is not verified again.
    const verified = input.layers && (await this.#verifyLayers(key, relayered(current)))
    const change = (now: FunctionVersion) => {
      checkStill(packageType, now)
      refusePinned(now, input.runtime)
      return secrets.sealed(key, input, relayered(draft(now, input, { key, room })), now)
    }
    const update = { change, publish: false, revisionId: input.revisionId, verified }
    const written = await store.functions.beginUpdate(key, update, clock())
    return this.#deployed(key, written, verified).latest
  }

  /** Without qualifier the whole function; with a number that version, which need not exist. */
  async delete(key: FunctionKey, qualifier: string | undefined): Promise<void> {
    const { store } = this.#needs
    if (qualifier === undefined) return store.functions.delete(key)
    // The order is recorded: a function that does not exist is missing for every other qualifier.
    if (qualifier === '$LATEST') {
      throw refused('$LATEST version cannot be deleted without deleting the function.')
    }
    if (!(await store.functions.find(key))) throw functionNotFound(key)
    if (!/^[0-9]+$/.test(qualifier)) throw refused('Deletion of aliases is not currently supported.')
    await store.versions.delete(key, qualifier)
  }

  async #verifyLayers(key: FunctionKey, { layers = [] }: FunctionConfiguration): Promise<Verified> {
    const { store, verification } = this.#needs
    return verification.verify(await store.codeSigning.ofFunction(key), { layers })
  }

  async #latest(key: FunctionKey): Promise<FunctionVersion> {
    const stored = await this.#needs.store.functions.find(key)
    if (stored === undefined) throw functionNotFound(key)
    return stored.latest
  }

  /** What was written is made ready from here on. */
  #deployed(key: FunctionKey, written: Written, verified: Verified | undefined): Written {
    if (verified) this.#needs.verification.deployed(key, verified)
    this.#needs.preparation.start(written.latest)
    return this.#shown(written)
  }

  #shown({ latest, published }: Written): Written {
    const { secrets } = this.#needs
    return { latest: secrets.shown(latest), published: secrets.shown(published) }
  }

  async #versionBehind(
    key: FunctionKey,
    qualifier: string | undefined,
    latest: FunctionVersion,
  ): Promise<FunctionVersion | undefined> {
    const { store } = this.#needs
    if (qualifier === undefined || qualifier === '$LATEST') return latest
    if (isVersionNumber(qualifier)) return store.versions.find(key, qualifier)
    const alias = await store.aliases.find(key, qualifier)
    return alias && store.versions.find(key, alias.functionVersion)
  }

  #code(
    packageType: 'Zip' | 'Image',
    input: FunctionCode,
    key: FunctionKey,
    kmsKeyArn: string | undefined,
  ): Promise<CodeConfiguration> {
    const { source } = this.#needs
    return packageType === 'Image' ? source.image(input.imageUri ?? '') : source.zip(input, key, kmsKeyArn)
  }
}

/** The request was for another function, which was deleted; this one was made since. @throws LambdaException ResourceNotFoundException */
function checkStill(packageType: FunctionConfiguration['packageType'], latest: FunctionVersion): void {
  if (latest.packageType !== packageType) throw functionNotFound(latest)
}

/** A pinned image is one of the runtime that it was pinned for. @throws LambdaException InvalidParameterValueException */
function refusePinned(current: FunctionVersion, runtime: string | undefined): void {
  if (current.updateRuntimeOn !== 'Manual' || runtime === undefined || runtime === current.runtime) return
  throw refused(
    `The function's runtime version is pinned to one of ${current.runtime}. Set UpdateRuntimeOn to Auto or FunctionUpdate (PutRuntimeManagementConfig) before changing the runtime.`,
  )
}
