/** References of images, as engines and registries write them. */

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const HOST = '(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?/)?'
const REFERENCE = new RegExp(
  `^(${HOST}${COMPONENT}(?:/${COMPONENT})*)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$`,
)

export interface ImageReference {
  /** With the registry's host, without tag and digest. */
  readonly repository: string
  readonly tag?: string
  readonly digest?: string
}

/** The reference's parts; `undefined` for anything that engines would not take as one. Longest: 512 characters. */
export function parseImageReference(uri: string): ImageReference | undefined {
  const match = uri.length > 512 ? null : REFERENCE.exec(uri)
  if (match?.[1] === undefined) return undefined
  const [, repository, tag, digest] = match
  return { repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) }
}
