/** CreateFunction, GetFunction, ListFunctions, UpdateFunctionCode, UpdateFunctionConfiguration, DeleteFunction. */
import { isVersionNumber } from '../lambda/arn.ts'
import { refuseImage } from '../lambda/code-signing.ts'
import { LambdaException } from '../lambda/errors.ts'
import type {
  Architecture,
  DecryptionError,
  FunctionConfiguration,
  FunctionKey,
  FunctionVersion,
} from '../lambda/function.ts'
import type { MachineRoom } from '../lambda/machine-room.ts'
import { packageOf } from '../lambda/package.ts'
import { checkRevision, functionNotFound, refused } from '../lambda/refusals.ts'
import type { RuntimeImages } from '../lambda/runtime-images.ts'
import { violation, violationMessage } from '../lambda/validation.ts'
import type { Written } from '../store/function-store.ts'
import type { Page, PageRequest } from '../store/page.ts'
import type { Store } from '../store/store.ts'
import type { CodeSigning } from './code-signing.ts'
import type { CodeConfiguration, CodeSource } from './code-source.ts'
import type { CodeVerification, Verified } from './code-verification.ts'
import { changedConfiguration, checkRuntime, checkSettings, newConfiguration } from './configuration.ts'
import type { FunctionLayers } from './function-layers.ts'
import { checkUnzippedSize, withLayers } from './function-layers.ts'
import { checkPackageType, refuseSettingsOf, refuseZip } from './image-config.ts'
import { defaultLogging, loggingOf } from './logging.ts'
import type { Preparation } from './preparation.ts'
import { refuseQualifier } from './refusals.ts'
import type { CodeInput, CreateInput, SettingsInput, UpdateCodeInput, UpdateConfigurationInput } from './requests.ts'
import { roomSettings } from './room.ts'
import type { Secrets } from './secrets.ts'
import { checkTags } from './tags.ts'
import { refuseUnsupportedCode, refuseUnsupportedCreation, refuseUnsupportedSettings } from './unsupported.ts'

export interface FunctionsNeeds {
  readonly store: Store
  readonly source: CodeSource
  readonly images: RuntimeImages
  readonly preparation: Preparation
  readonly layers: FunctionLayers
  readonly codeSigning: CodeSigning
  readonly verification: CodeVerification
  readonly secrets: Secrets
  readonly room: MachineRoom
  /** Unix milliseconds. */
  readonly clock: () => number
  /** The only architecture whose code this host runs. */
  readonly architecture: Architecture
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
  async create(key: FunctionKey, qualifier: string | undefined, input: CreateInput): Promise<Written> {
    const { store, codeSigning, verification, secrets, room, clock } = this.#needs
    checkName(key.name)
    refuseQualifier(qualifier)
    refuseUnsupportedCreation(input)
    const packageType = checkPackageType(input)
    if (packageType === 'Zip') {
      if (!input.runtime || !input.handler) {
        throw refused('Runtime and Handler are mandatory parameters for functions created with deployment packages.')
      }
      checkRuntime(input.runtime, clock())
    }
    checkSettings(input)
    // Before the package is stored.
    loggingOf(input, defaultLogging(key.name))
    checkTags(input.tags ?? {})
    secrets.check(key, input.kmsKeyArn)
    const placed = roomSettings(room, key, input)
    const architecture = this.#checkArchitecture(input.architectures?.[0] ?? this.#needs.architecture)
    if (input.runtime) await this.#checkAvailable(input.runtime, architecture)
    this.#needs.layers.checkRegions(key, input.layers ?? [])
    if (await store.functions.find(key)) {
      throw new LambdaException('ResourceConflictException', `Function already exist: ${key.name}`)
    }
    if (input.codeSigningConfigArn) refuseImage(packageType)
    const config = await codeSigning.named(key, input.codeSigningConfigArn)
    const layers = await this.#needs.layers.resolve(key, input.layers ?? [])
    const code = await this.#code(packageType, input.code, key, input.kmsKeyArn)
    checkUnzippedSize(code.unzippedBytes ?? 0, layers)
    const verified = await verification.verify(config, { code: packageOf({ ...key, ...code }), layers })
    const configuration = {
      ...withLayers(newConfiguration(key.name, input, architecture, code), layers),
      ...placed,
      signing: verified.signing,
    }
    const written = await store.functions.create(
      key,
      {
        configuration: secrets.sealed(key, input, configuration),
        tags: input.tags ?? {},
        publish: input.publish ?? false,
        verified,
      },
      clock(),
    )
    verification.deployed(key, verified)
    this.#needs.preparation.start(written.latest)
    return this.#shown(written)
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
  async updateCode(key: FunctionKey, qualifier: string | undefined, input: UpdateCodeInput): Promise<Written> {
    const { store, verification, clock } = this.#needs
    refuseQualifier(qualifier)
    refuseUnsupportedCode(input)
    const current = await store.functions.find(key)
    if (current === undefined) throw functionNotFound(key)
    const { packageType } = current.latest
    if (packageType === 'Image' && !input.imageUri) {
      throw refused('Please provide ImageUri when updating a function with packageType Image.')
    }
    if (packageType === 'Zip' && input.imageUri) {
      throw refused("Please don't provide ImageUri when updating a function with packageType Zip.")
    }
    if (packageType === 'Image') refuseZip(input)
    const architecture = this.#checkArchitecture(input.architectures?.[0] ?? current.latest.architecture)
    if (current.latest.runtime !== undefined) await this.#checkAvailable(current.latest.runtime, architecture)
    const code = await this.#code(packageType, input, key, current.latest.kmsKeyArn)
    const config = await store.codeSigning.ofFunction(key)
    const deployment = { code: packageOf({ ...key, ...code }), layers: current.latest.layers ?? [] }
    const verified = await verification.verify(config, deployment)
    const change = (latest: FunctionVersion) => {
      checkStill(packageType, latest)
      checkUnzippedSize(code.unzippedBytes ?? 0, latest.layers ?? [])
      return { ...latest, architecture, ...code, signing: verified.signing }
    }
    if (input.dryRun) {
      checkRevision(input.revisionId, current.latest.revisionId)
      return this.#shown({ latest: { ...current.latest, ...change(current.latest) } })
    }
    const written = await store.functions.beginUpdate(
      key,
      { change, publish: input.publish ?? false, revisionId: input.revisionId, verified },
      clock(),
    )
    verification.deployed(key, verified)
    this.#needs.preparation.start(written.latest)
    return this.#shown(written)
  }

  async updateConfiguration(
    key: FunctionKey,
    qualifier: string | undefined,
    input: UpdateConfigurationInput,
  ): Promise<FunctionVersion> {
    const { store, verification, secrets, room, clock } = this.#needs
    refuseQualifier(qualifier)
    refuseUnsupportedSettings(input)
    checkSettings(input)
    const current = await store.functions.find(key)
    if (current === undefined) throw functionNotFound(key)
    refuseSettingsOf(current.latest.packageType, input)
    // A function keeps a runtime that has been withdrawn since; only moving to such a one is refused.
    if (input.runtime !== undefined && input.runtime !== current.latest.runtime) {
      checkRuntime(input.runtime, clock())
      await this.#checkAvailable(input.runtime, current.latest.architecture)
    }
    const change = await this.#needs.layers.change(key, input.layers, current.latest)
    // Code that is deployed already is not verified again.
    const verified = input.layers && (await this.#verifyLayers(key, change(current.latest)))
    const { latest } = await store.functions.beginUpdate(
      key,
      {
        change: (now) => {
          checkStill(current.latest.packageType, now)
          const changed = { ...change(configurationAfter(now, input)), ...roomSettings(room, key, input, now) }
          return secrets.sealed(key, input, changed, now)
        },
        publish: false,
        revisionId: input.revisionId,
        verified,
      },
      clock(),
    )
    if (verified) verification.deployed(key, verified)
    this.#needs.preparation.start(latest)
    return secrets.shown(latest)
  }

  /** Without qualifier the whole function; with a number that version, which need not exist. */
  async delete(key: FunctionKey, qualifier: string | undefined): Promise<void> {
    const { store } = this.#needs
    if (qualifier === undefined) return store.functions.delete(key)
    if (!(await store.functions.find(key))) throw functionNotFound(key)
    if (qualifier === '$LATEST') {
      throw refused('$LATEST version cannot be deleted without deleting the function.')
    }
    if (!/^[0-9]+$/.test(qualifier)) throw refused('Deletion of aliases is not currently supported.')
    await store.versions.delete(key, qualifier)
  }

  async #verifyLayers(key: FunctionKey, { layers = [] }: FunctionConfiguration): Promise<Verified> {
    const { store, verification } = this.#needs
    return verification.verify(await store.codeSigning.ofFunction(key), { layers })
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
    input: CodeInput,
    key: FunctionKey,
    kmsKeyArn: string | undefined,
  ): Promise<CodeConfiguration> {
    const { source } = this.#needs
    return packageType === 'Image' ? source.image(input.imageUri ?? '') : source.zip(input, key, kmsKeyArn)
  }

  #checkArchitecture(wanted: Architecture): Architecture {
    const { architecture } = this.#needs
    if (wanted === architecture) return wanted
    throw refused(
      `The architecture ${wanted} cannot run on this host: its container engine runs ${architecture}. Build the code for ${architecture} and set Architectures to [${architecture}].`,
    )
  }

  async #checkAvailable(runtime: string, architecture: Architecture): Promise<void> {
    const availability = await this.#needs.images.availability(runtime, architecture)
    if (!availability.available) throw refused(availability.reason)
  }
}

/** The request was for another function, which was deleted; this one was made since. @throws LambdaException ResourceNotFoundException */
function checkStill(packageType: FunctionConfiguration['packageType'], latest: FunctionVersion): void {
  if (latest.packageType !== packageType) throw functionNotFound(latest)
}

/** A pinned image is one of the runtime that it was pinned for. @throws LambdaException InvalidParameterValueException */
function configurationAfter(current: FunctionVersion, input: SettingsInput): FunctionConfiguration {
  if (current.updateRuntimeOn === 'Manual' && input.runtime !== undefined && input.runtime !== current.runtime) {
    throw refused(
      `The function's runtime version is pinned to one of ${current.runtime}. Set UpdateRuntimeOn to Auto or FunctionUpdate (PutRuntimeManagementConfig) before changing the runtime.`,
    )
  }
  return changedConfiguration(current, input)
}

/** Names get 64 characters, whatever the length of the ARN around them. */
function checkName(name: string): void {
  if (name.length <= 64) return
  throw refused(violationMessage([violation(name, 'functionName', 'Member must have length less than or equal to 64')]))
}
