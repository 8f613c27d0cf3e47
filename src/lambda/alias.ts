/** Rules of weighted aliases. */
import type { Alias, FunctionVersion } from './function.ts'
import { refused } from './refusals.ts'

export type Routing = NonNullable<Alias['routing']>

/** AdditionalVersionWeights: 0–1 by version. */
export type VersionWeights = Readonly<Record<string, number>>

/**
 * The one additional version of AdditionalVersionWeights; an empty map means none.
 *
 * @throws LambdaException InvalidParameterValueException
 */
export function routingOf(functionVersion: string, weights: VersionWeights): Routing | undefined {
  const entries = Object.entries(weights)
  const first = entries[0]
  if (first === undefined) return undefined
  if (entries.length > 1) throw refused('Number of items in AdditionalVersionWeights cannot be greater than 1')
  const [version, weight] = first
  checkRouting(functionVersion, version)
  return { version, weight }
}

/** @throws LambdaException InvalidParameterValueException: the two versions of a weighted alias cannot be these. */
export function checkRouting(functionVersion: string, additional: string): void {
  if (additional === functionVersion) {
    throw refused(
      `Invalid function version ${additional}. Function version ${additional} is already included in routing configuration.`,
    )
  }
  if (functionVersion === '$LATEST') {
    throw refused('$LATEST is not supported for an alias pointing to more than 1 version', { untyped: true })
  }
}

/**
 * Both versions behind an alias have the same role and dead-letter queue, else an invocation's rights, or where its event ends, would depend on
 * chance. (unverified) texts
 */
export function checkAlike(main: FunctionVersion, additional: FunctionVersion): void {
  const versions = `Versions ${main.version} and ${additional.version} have different`
  if (main.role !== additional.role) {
    throw refused(`${versions} execution roles. Both versions of an alias must have the same role.`)
  }
  if (main.deadLetterTarget !== additional.deadLetterTarget) {
    throw refused(
      `${versions} dead-letter queue configurations. Both versions of an alias must have the same one, or none.`,
    )
  }
}
