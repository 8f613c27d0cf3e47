/** GetFunction's Code.Location: a URL of this host that gives the zip to whoever holds it, for ten minutes. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Context } from 'hono'
import type { CodeStore } from '../../control/code/code-store.ts'
import { LambdaException } from '../../lambda/errors.ts'
import { LIMITS } from '../../lambda/limits.ts'
import type { PackageReference } from '../../lambda/package/package.ts'

export interface CodeLocationOptions {
  /** Signs the URLs; a new one for each start of the host is enough. */
  readonly secret: Uint8Array
  readonly code: Pick<CodeStore, 'get'>
  /** Unix milliseconds. */
  readonly clock: () => number
}

type Sealed = PackageReference['sealed']

export const CODE_PATH = '/_hearth/code/:hash'

const HEX_SHA256 = /^[0-9a-f]{64}$/
const UNIX_SECONDS = /^\d{1,12}$/

export class CodeLocation {
  readonly #options: CodeLocationOptions

  constructor(options: CodeLocationOptions) {
    this.#options = options
  }

  /** On the address at which the caller reached this host, whatever that is. */
  url(c: Context, { codeSha256, sealed }: PackageReference): string {
    const hash = Buffer.from(codeSha256, 'base64').toString('hex')
    // What opens an encrypted package goes with the URL: it says nothing to whoever has not the keyring, and the function may change meanwhile.
    const seal = sealed === undefined ? '' : Buffer.from(JSON.stringify(sealed)).toString('base64url')
    const expires = String(Math.floor(this.#options.clock() / 1000) + LIMITS.codeLocationSeconds)
    const here = new URL(c.req.url)
    const host = c.req.header('host') ?? here.host
    const signature = this.#sign(hash, expires, seal)
    return `${here.protocol}//${host}/_hearth/code/${hash}?expires=${expires}${seal && `&sealed=${seal}`}&signature=${signature}`
  }

  async serve(c: Context): Promise<Response> {
    const { code, clock } = this.#options
    const hash = c.req.param('hash') ?? ''
    const expires = c.req.query('expires') ?? ''
    const seal = c.req.query('sealed') ?? ''
    const wellFormed = HEX_SHA256.test(hash) && UNIX_SECONDS.test(expires)
    if (!wellFormed || !equal(this.#sign(hash, expires, seal), c.req.query('signature') ?? '')) {
      throw new LambdaException(
        'AccessDeniedException',
        'The signature of this URL is not valid. Call GetFunction again and use its Code.Location unchanged.',
      )
    }
    if (clock() / 1000 > Number(expires)) {
      throw new LambdaException(
        'AccessDeniedException',
        `Request has expired. Call GetFunction again: its Code.Location is valid for ${LIMITS.codeLocationSeconds} seconds.`,
      )
    }
    const codeSha256 = Buffer.from(hash, 'hex').toString('base64')
    const sealed = seal === '' ? {} : { sealed: JSON.parse(Buffer.from(seal, 'base64url').toString()) as Sealed }
    const zip = await code.get({ codeSha256, ...sealed })
    if (zip === undefined) {
      throw new LambdaException('ResourceNotFoundException', 'The package was deleted with its function or version.')
    }
    return new Response(zip as Uint8Array<ArrayBuffer>, {
      headers: { 'Content-Type': 'application/zip', 'Content-Length': String(zip.length) },
    })
  }

  #sign(hash: string, expires: string, seal: string): string {
    return createHmac('sha256', this.#options.secret).update(`${hash}\n${expires}\n${seal}`).digest('hex')
  }
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
