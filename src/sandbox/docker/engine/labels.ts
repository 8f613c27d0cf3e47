/** Labels on everything that Hearth makes in the engine; what has them may be removed when its owner is dead. */
import { createHash } from 'node:crypto'

export const LABELS = {
  /** The host's instance id. */
  instance: 'hearth.instance',
  /** Which process made it: see owner.ts. */
  owner: 'hearth.owner',
  /** Which data directory that process works on. */
  data: 'hearth.data',
  /** ARN of the function version. */
  function: 'hearth.function',
  /** Followed by the id of a security group; its value is the operator's. */
  securityGroup: 'hearth.security-group.',
  /** Digest of the function's image that a volume holds a part of, in hex. */
  functionImage: 'hearth.function-image',
} as const

/** What identifies one running host. */
export interface Identity {
  readonly instance: string
  readonly owner: string
  readonly data: string
}

export function labelsOf(identity: Identity): Record<string, string> {
  return {
    [LABELS.instance]: identity.instance,
    [LABELS.owner]: identity.owner,
    [LABELS.data]: identity.data,
  }
}

/** Short and the same for the same text: for names whose length is limited. */
export function digest(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits)
}

/** The text as a part of a container's or network's name: at most 40 of the characters that the engine allows. */
export function nameable(text: string): string {
  return text.replace(/[^a-zA-Z0-9_.-]+/g, '-').slice(0, 40) || 'x'
}
