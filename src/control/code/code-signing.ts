/** Code-signing configurations: their own operations, those of functions, and their tags. */
import { randomBytes } from 'node:crypto'
import type { RequestScope } from '../../lambda/arn.ts'
import type { FunctionKey } from '../../lambda/function.ts'
import {
  type CodeSigningConfig,
  type CodeSigningKey,
  codeSigningKeyOf,
  configMissing,
  configNotFound,
} from '../../lambda/package/code-signing.ts'
import { functionNotFound } from '../../lambda/refusals.ts'
import type { Page, PageRequest } from '../../store/page.ts'
import type { Store } from '../../store/store.ts'
import { refuseQualifier } from '../refusals.ts'
import type { CreateCodeSigningConfigRequest, UpdateCodeSigningConfigRequest } from '../requests.ts'
import { checkTags, tagsWith, tagsWithout } from '../tags.ts'

export class CodeSigning {
  readonly #store: Store
  readonly #clock: () => number

  constructor(store: Store, clock: () => number) {
    this.#store = store
    this.#clock = clock
  }

  async create({ account, region }: RequestScope, input: CreateCodeSigningConfigRequest): Promise<CodeSigningConfig> {
    const { description = '', publishers = [], policy = 'Warn' } = changeOf(input)
    const { tags = {} } = input
    checkTags(tags)
    const id = `csc-${randomBytes(9).toString('hex').slice(0, 17)}`
    const config = { account, region, id, description, publishers, policy, lastModified: this.#clock() }
    return this.#store.codeSigning.create(config, tags)
  }

  /** @throws LambdaException ResourceNotFoundException, as all that take an ARN */
  async get(scope: RequestScope, arn: string): Promise<CodeSigningConfig> {
    const config = await this.#store.codeSigning.find(own(scope, arn))
    if (config === undefined) throw configMissing(arn)
    return config
  }

  async update(scope: RequestScope, arn: string, input: UpdateCodeSigningConfigRequest): Promise<CodeSigningConfig> {
    return this.#store.codeSigning.update(own(scope, arn), changeOf(input), this.#clock())
  }

  /** @throws LambdaException ResourceConflictException while functions use it */
  async delete(scope: RequestScope, arn: string): Promise<void> {
    await this.#store.codeSigning.delete(own(scope, arn))
  }

  list({ account, region }: RequestScope, page: PageRequest): Promise<Page<CodeSigningConfig>> {
    return this.#store.codeSigning.list(account, region, page)
  }

  async functions(scope: RequestScope, arn: string, page: PageRequest): Promise<Page<FunctionKey>> {
    return this.#store.codeSigning.functions(own(scope, arn), page)
  }

  async tags(scope: RequestScope, arn: string): Promise<Readonly<Record<string, string>>> {
    return this.#store.codeSigning.tags(own(scope, arn))
  }

  async tag(scope: RequestScope, arn: string, tags: Readonly<Record<string, string>>): Promise<void> {
    await this.#store.codeSigning.changeTags(own(scope, arn), tagsWith(tags))
  }

  async untag(scope: RequestScope, arn: string, keys: readonly string[]): Promise<void> {
    await this.#store.codeSigning.changeTags(own(scope, arn), tagsWithout(keys))
  }

  /** What is deployed already is not verified: the next deployment is. */
  async attach(key: FunctionKey, qualifier: string | undefined, arn: string): Promise<void> {
    refuseQualifier(qualifier)
    const named = codeSigningKeyOf(arn)
    if (named.account !== key.account || named.region !== key.region) throw configNotFound(arn)
    await this.#store.codeSigning.attach(key, named.id)
  }

  async detach(key: FunctionKey, qualifier: string | undefined): Promise<void> {
    refuseQualifier(qualifier)
    await this.#store.codeSigning.detach(key)
  }

  /** `undefined`: the function has none. */
  async ofFunction(key: FunctionKey, qualifier: string | undefined): Promise<CodeSigningConfig | undefined> {
    refuseQualifier(qualifier)
    if ((await this.#store.functions.find(key)) === undefined) throw functionNotFound(key)
    return this.#store.codeSigning.ofFunction(key)
  }

  /** For a function that is to be made. @throws LambdaException CodeSigningConfigNotFoundException */
  async named(key: FunctionKey, arn: string | undefined): Promise<CodeSigningConfig | undefined> {
    if (!arn) return undefined
    const named = codeSigningKeyOf(arn)
    const here = named.account === key.account && named.region === key.region
    const config = here ? await this.#store.codeSigning.find(named) : undefined
    if (config === undefined) throw configNotFound(arn)
    return config
  }
}

/** One of another account or region is not there, for whoever asks. */
function own({ account, region }: RequestScope, arn: string): CodeSigningKey {
  const key = codeSigningKeyOf(arn)
  if (key.account !== account || key.region !== region) throw configMissing(arn)
  return key
}

function changeOf({ description, allowedPublishers, codeSigningPolicies }: UpdateCodeSigningConfigRequest) {
  return {
    description,
    publishers: allowedPublishers?.signingProfileVersionArns,
    policy: codeSigningPolicies?.untrustedArtifactOnDeployment,
  }
}
