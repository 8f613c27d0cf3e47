/** The runtime images of this machine's engine, for the commands that make, write and read them while no host need run. */

import { join } from 'node:path'
import type { Config } from '../config.ts'
import { connect } from '../sandbox/docker/engine/client.ts'
import { DockerRuntimeImages } from '../sandbox/docker/images/runtime-images.ts'

export function openRuntimeImages(config: Config, progress: (line: string) => void): DockerRuntimeImages {
  return new DockerRuntimeImages({
    docker: connect(),
    cacheDir: join(config.data, 'cache'),
    map: config.runtimeImageMap,
    prefer: config.runtimeImages,
    substitute: config.runtimeSubstitute,
    progress,
  })
}
