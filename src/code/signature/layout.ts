/** Where a signature lies in a package, as in signed JAR files, and what Hearth adds to the manifest. */
import { SignatureFault } from './fault.ts'

export const FOLDER = 'META-INF'
export const MANIFEST = `${FOLDER}/MANIFEST.MF`

/** Of the manifest's main section. All of them are optional. */
export const PROFILE = 'Hearth-Signing-Profile-Version'
export const JOB = 'Hearth-Signing-Job'
/** ISO 8601. */
export const EXPIRES = 'Hearth-Signature-Expires'
/** Of a file's section: FileKind, which the JAR format leaves unsigned. */
export const KIND = 'Hearth-Kind'

/** One package may have several signers. Ours. */
const SIGNATURES = 8

export interface SignatureFiles {
  /** What is signed: the digest of the manifest. */
  readonly content: string
  readonly block: string
}

/**
 * @param names of all that lies in META-INF
 * @returns paths of the package; empty: it is not signed
 * @throws SignatureFault when parts are missing or there are too many
 */
export function signatureFiles(names: readonly string[]): SignatureFiles[] {
  const contents = names.filter((name) => isContent(name))
  const blocks = names.filter((name) => isBlock(name))
  if (contents.length > SIGNATURES || blocks.length > SIGNATURES) throw new SignatureFault('it has too many signatures')
  const used = new Set<string>()
  const files = contents.map((content) => {
    const own = blocks.filter((block) => stem(block) === stem(content))
    if (own.length !== 1) throw new SignatureFault(`${FOLDER}/${content} must have one signature block`)
    used.add(own[0]!)
    return { content: `${FOLDER}/${content}`, block: `${FOLDER}/${own[0]}` }
  })
  const alone = blocks.find((block) => !used.has(block))
  if (alone !== undefined) throw new SignatureFault(`${FOLDER}/${alone} is a signature block of nothing`)
  return files
}

/** Whether a path is one of those that a signer writes: MANIFEST.MF, NAME.SF, NAME.RSA. */
export function isSignatureFile(path: string): boolean {
  const [folder, name, ...deeper] = path.split('/')
  if (folder !== FOLDER || name === undefined || deeper.length > 0) return false
  return path === MANIFEST || isContent(name) || isBlock(name)
}

function isContent(name: string): boolean {
  return /\.SF$/i.test(name)
}

function isBlock(name: string): boolean {
  return /\.(RSA|DSA|EC)$/i.test(name)
}

function stem(name: string): string {
  return name.slice(0, name.lastIndexOf('.')).toUpperCase()
}
