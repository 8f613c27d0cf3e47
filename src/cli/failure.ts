/** Exit statuses of `hearth`: 0 it worked, 1 it could not be done, 2 the function itself failed. */
export const EXIT = { ok: 0, failed: 1, functionError: 2 } as const

/** Something that could not be done. `hint` is what the person can do about it. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly hint: string | undefined

  constructor(message: string, hint?: string) {
    super(message)
    this.hint = hint
  }
}
