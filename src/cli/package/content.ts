/** One file of a package that is made. */
export interface Content {
  /** Relative, with `/`. */
  readonly path: string
  readonly executable: boolean
  readonly size: number
  /** Its bytes are here, or in a file of this machine. */
  readonly from: { readonly bytes: Buffer; readonly isLink?: boolean } | { readonly file: string }
}
