/** Small images for tests, built through the engine. */
import Dockerode from 'dockerode'
import tar from 'tar-stream'

export const docker = new Dockerode()

/** Builds `tag` from a Dockerfile and files (those ending in `.sh` are executable). Returns the image's id. */
export async function buildImage(
  tag: string,
  dockerfile: string,
  files: Readonly<Record<string, string>> = {},
): Promise<string> {
  const context = tar.pack()
  context.entry({ name: 'Dockerfile' }, dockerfile)
  for (const [name, content] of Object.entries(files)) {
    context.entry({ name, mode: name.endsWith('.sh') ? 0o755 : 0o644 }, content)
  }
  context.finalize()
  const stream = await docker.buildImage(context as unknown as NodeJS.ReadableStream, {
    t: tag,
    rm: true,
    forcerm: true,
  })
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(stream, (error, events: { error?: string }[]) => {
      const failed = error?.message ?? events.find((event) => event.error !== undefined)?.error
      if (failed === undefined) resolve()
      else reject(new Error(failed))
    })
  })
  return (await docker.getImage(tag).inspect()).Id
}

/** Removes images by tag or id, with every other tag that they have; those that are gone already are no trouble. */
export async function removeImages(names: Iterable<string>): Promise<void> {
  for (const name of names) {
    const facts = await docker
      .getImage(name)
      .inspect()
      .catch(() => undefined)
    for (const tag of facts?.RepoTags ?? []) {
      await docker
        .getImage(tag)
        .remove({ force: true })
        .catch(() => undefined)
    }
    await docker
      .getImage(name)
      .remove({ force: true })
      .catch(() => undefined)
  }
}
