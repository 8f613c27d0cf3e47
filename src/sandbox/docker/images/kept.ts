/**
 * Images that must not vanish. The engine removes those without a tag whenever somebody tidies up, and a tag moves with the next build: so
 * an image that a function is bound to has a tag of this host's own, `<repository>:<64 hex digits>`, until no function needs it.
 */
import type Dockerode from 'dockerode'

/** Tags younger than this are never given up: their function may not be written yet. Milliseconds. */
const DEFAULT_GRACE_MS = 15 * 60_000

export class KeptImages {
  readonly #docker: Dockerode
  readonly #repository: string
  readonly #graceMs: number

  /** @param repository of this host alone: other hosts on the same engine keep their own */
  constructor(docker: Dockerode, repository: string, graceMs = DEFAULT_GRACE_MS) {
    this.#docker = docker
    this.#repository = repository
    this.#graceMs = graceMs
  }

  /** @param name 64 hex digits under which `giveUp` knows it */
  async keep(image: string, name: string): Promise<void> {
    await this.#docker.getImage(image).tag({ repo: this.#repository, tag: name })
  }

  /** Removes the tags that are not in `wanted`; the engine then removes images that have no other. Returns their number. */
  async giveUp(wanted: ReadonlySet<string>): Promise<number> {
    let removed = 0
    const images = await this.#docker.listImages({ filters: { reference: [this.#repository] } })
    for (const tag of images.flatMap(({ RepoTags }) => RepoTags ?? [])) {
      if (!tag.startsWith(`${this.#repository}:`) || wanted.has(tag.slice(this.#repository.length + 1))) continue
      const image = this.#docker.getImage(tag)
      const { Metadata } = (await image.inspect()) as { Metadata?: { LastTagTime?: string } }
      if (Date.now() - Date.parse(Metadata?.LastTagTime ?? '') < this.#graceMs) continue
      // One that a container still runs cannot go; the next round tries again.
      const gone = await image.remove().then(
        () => true,
        () => false,
      )
      if (gone) removed++
    }
    return removed
  }
}
