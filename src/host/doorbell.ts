/** A call for somebody who is opened later than the one who calls: until then nobody answers, and nothing is lost by it. */
export class Doorbell<A extends readonly unknown[]> {
  #answer: ((...call: A) => void) | undefined

  readonly ring = (...call: A): void => this.#answer?.(...call)

  answeredBy(answer: (...call: A) => void): void {
    this.#answer = answer
  }
}
