/** Whether a function may use a key for new values. */
import type { FunctionKey } from '../../lambda/function.ts'
import { KeyProblem, type Keys } from '../../lambda/keys.ts'

/** @throws KeyProblem */
export function checkKey(keys: Keys, { region }: FunctionKey, keyArn: string): void {
  if (keyArn.split(':')[3] !== region) {
    throw new KeyProblem('not-found', `Key '${keyArn}' is not in region ${region}`, 'Use a key of that region.')
  }
  keys.check(keyArn)
}
