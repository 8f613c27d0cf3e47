/** What the control plane needs of the images that functions bring along; `sandbox/docker/images/` implements it. */
import type { Architecture, ImageConfig, PinnedImage } from '../lambda/function.ts'

export type ImageReadiness =
  | { readonly ready: true }
  /** As a function's StateReasonCode and StateReason. */
  | {
      readonly ready: false
      readonly code: 'ImageAccessDenied' | 'ImageDeleted' | 'InvalidImage'
      readonly reason: string
    }

export interface FunctionImages {
  /**
   * Finds the image on this machine, else in its registry (without pulling it), and pins it.
   * @throws LambdaException InvalidParameterValueException: no reference of an image, or there is no such image; AccessDeniedException: its
   * registry refuses
   */
  resolve(uri: string): Promise<{ readonly image: PinnedImage; readonly digestHex: string }>
  /** Pulls what is not there (minutes), and checks that it can run with these overrides. */
  prepare(image: PinnedImage, config: ImageConfig | undefined, architecture: Architecture): Promise<ImageReadiness>
}
