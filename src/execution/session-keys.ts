/** The access keys of living execution environments. A key is worth something at this host alone, and ends with its environment. */
import { randomBytes, randomInt } from 'node:crypto'
import type { RoleSession } from '../lambda/role-session.ts'

export interface SessionCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
}

const PREFIX = 'ASIA'
/** As in AWS's own keys. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
/** Characters that tell living environments apart: a million, ten times as many as there may be environments (maxEnvironments). */
const TELLING = 4

export class SessionKeys {
  /** By the telling characters. */
  readonly #living = new Map<string, RoleSession>()

  /**
   * A key that no living environment has. It ends in the twelve digits of the account, so that the account is known wherever the key is seen; 20
   * characters, as AWS's own.
   */
  issue(session: RoleSession): SessionCredentials {
    let telling = draw()
    while (this.#living.has(telling)) telling = draw()
    this.#living.set(telling, session)
    return {
      accessKeyId: `${PREFIX}${telling}${session.account}`,
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: randomBytes(48).toString('base64'),
    }
  }

  /** The environment is gone. */
  revoke({ accessKeyId }: SessionCredentials): void {
    this.#living.delete(tellingOf(accessKeyId))
  }

  /** Whose the key is; `undefined`: no living environment's. */
  find(accessKeyId: string): RoleSession | undefined {
    const session = this.#living.get(tellingOf(accessKeyId))
    return session !== undefined && accessKeyId === `${PREFIX}${tellingOf(accessKeyId)}${session.account}`
      ? session
      : undefined
  }

  get size(): number {
    return this.#living.size
  }
}

const tellingOf = (accessKeyId: string) => accessKeyId.slice(PREFIX.length, PREFIX.length + TELLING)

function draw(): string {
  return Array.from({ length: TELLING }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
}
