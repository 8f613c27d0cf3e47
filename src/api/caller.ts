/** Who calls, as every handler and the data plane see it: the request's account and region. */
export interface Caller {
  readonly account: string
  readonly region: string
}
