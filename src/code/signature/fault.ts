/** What is wrong with a package's signatures or with what they cover; the message ends a sentence. */
export class SignatureFault extends Error {
  override readonly name = 'SignatureFault'
}

/** A name from a package, for a message. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name)
}
