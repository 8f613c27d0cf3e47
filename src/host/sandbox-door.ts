/** The Lambda API as code inside a sandbox reaches it: environments know it from their first, the wire says who answers. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Listener } from '../api/listener.ts'
import type { FunctionVersion } from '../lambda/function.ts'

export class SandboxDoor {
  #listener: Listener | undefined

  /** Calls before this are refused: no environment starts before the wire is there. */
  open(listener: Listener): void {
    this.#listener = listener
  }

  readonly serve = (version: FunctionVersion, request: IncomingMessage, response: ServerResponse): void => {
    if (this.#listener !== undefined) this.#listener(request, response, version)
    else response.writeHead(503).end()
  }
}
