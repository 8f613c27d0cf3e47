/** Where code runs: the container engine, the images, the driver and the listeners of the Runtime API. */
import { join, resolve } from 'node:path'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { RuntimeApiListeners } from '../runtime-api/listener.ts'
import { DockerDriver } from '../sandbox/docker/driver.ts'
import { connect } from '../sandbox/docker/engine/client.ts'
import { EngineHealth } from '../sandbox/docker/engine/health.ts'
import { digest } from '../sandbox/docker/engine/labels.ts'
import { DockerFunctionImages } from '../sandbox/docker/images/function-images.ts'
import { DockerRuntimeImages } from '../sandbox/docker/images/runtime-images.ts'
import type { Lifetime } from './lifetime.ts'

export interface Sandboxes {
  readonly driver: DockerDriver
  readonly runtimes: DockerRuntimeImages
  readonly functionImages: DockerFunctionImages
  readonly listeners: RuntimeApiListeners
  readonly engine: EngineHealth
}

/** @throws when the engine cannot be had; the message says what to do. */
export async function openSandboxes(config: Config, log: Logger, lifetime: Lifetime): Promise<Sandboxes> {
  const docker = connect()
  const instance = digest(resolve(config.data), 12)
  const progress = (line: string) => log.info(line)
  const runtimes = new DockerRuntimeImages({
    docker,
    cacheDir: join(config.data, 'cache'),
    map: config.runtimeImageMap,
    prefer: config.runtimeImages,
    substitute: config.runtimeSubstitute,
    progress,
    instance,
  })
  const functionImages = new DockerFunctionImages({ docker, instance, progress })
  const driver = lifetime.opened(
    'the driver of containers',
    new DockerDriver({
      docker,
      instance,
      dataDir: config.data,
      supervisor: () => runtimes.supervisorPath(),
      tools: () => runtimes.toolsImage(),
      functionReach: config.functionReach,
      subnetPool: config.subnetPool,
      maxParallelStarts: config.maxParallelStarts,
      maxAttachments: config.maxNetworkAttachments,
      log: (message, fields = {}) => log.warn(fields, message),
    }),
    (one) => one.close(),
  )
  await driver.open()
  for (const warning of driver.warnings) log.warn(warning)
  const engine = lifetime.opened('the health check of the engine', new EngineHealth(docker), (one) => one.close())
  await engine.open()
  const listeners = lifetime.opened(
    'the listeners of the Runtime API',
    new RuntimeApiListeners({ admit: (address, first, last) => driver.admit(address, first, last), log }),
    (one) => one.close(),
  )
  return { driver, runtimes, functionImages, listeners, engine }
}
