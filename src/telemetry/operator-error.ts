/** What keeps Hearth from working and its operator can mend: the message says what is wrong, `remedy` what to do. Shown without a stack. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError'
  readonly remedy: string

  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(message, options)
    this.remedy = remedy
  }
}
