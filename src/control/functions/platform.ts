/** What this host can run: one architecture, and the runtimes whose images it has or can make. */
import type { Architecture } from '../../lambda/function.ts'
import { refused } from '../../lambda/refusals.ts'
import type { RuntimeImages } from '../../ports/runtime-images.ts'

export class Platform {
  readonly #architecture: Architecture
  readonly #images: RuntimeImages

  constructor(architecture: Architecture, images: RuntimeImages) {
    this.#architecture = architecture
    this.#images = images
  }

  /**
   * The architecture of a function; the host's where the request names none.
   * @param runtime absent for images of functions
   * @throws LambdaException InvalidParameterValueException with what this host has
   */
  async check(wanted: Architecture = this.#architecture, runtime: string | undefined): Promise<Architecture> {
    const has = this.#architecture
    if (wanted !== has) {
      throw refused(
        `The architecture ${wanted} cannot run on this host: its container engine runs ${has}. Build the code for ${has} and set Architectures to [${has}].`,
      )
    }
    if (runtime) {
      const availability = await this.#images.availability(runtime, wanted)
      if (!availability.available) throw refused(availability.reason)
    }
    return wanted
  }
}
