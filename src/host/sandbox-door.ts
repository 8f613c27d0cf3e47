/** The door of the sandboxes, which environments are opened with before what is behind it can be built. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RoleSession } from '../lambda/role-session.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** What is behind the door; opens it for the code of one environment. */
interface Inside {
  open(session: RoleSession): Handler
}

export class SandboxDoor {
  #inside: Inside | undefined

  readonly serve = (session: RoleSession): Handler => {
    // No environment starts before the wire is there.
    if (this.#inside === undefined) throw new Error('the door of the sandboxes is used before it is open')
    return this.#inside.open(session)
  }

  open(inside: Inside): void {
    this.#inside = inside
  }
}
