/** What the control plane needs to know of runtimes; `sandbox/docker/images/` implements it and `host/` hands it over. */
import type { Architecture } from '../lambda/function.ts'

export type RuntimeAvailability =
  /** The image is there, or can be built or pulled by `prepare`. */
  | { readonly available: true }
  /** AWS knows the runtime, this host cannot offer it; the sentence names those available and how to get this one. */
  | { readonly available: false; readonly reason: string }

export interface RuntimeImages {
  availability(runtime: string, architecture: Architecture): Promise<RuntimeAvailability>
  /** Makes sure that the image exists, building it if needed (minutes the first time). Concurrent calls share one build. */
  prepare(runtime: string, architecture: Architecture): Promise<void>
  /**
   * The 64 hex digits of the present RuntimeVersionArn: the digest of the image once it is there, before that the hash of its recipe. Stable
   * over host restarts.
   */
  versionHash(runtime: string, architecture: Architecture): string
  /** Whether the hash is one that `versionHash` gave for this runtime since the host started. */
  isVersionOf(hash: string, runtime: string): boolean
  /** Keeps the image with this digest from being removed. `false`: the engine does not have it. */
  keepVersion(hash: string): Promise<boolean>
}
