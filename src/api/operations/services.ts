/** What the operations of the API work with. */
import type { ControlPlane } from '../../control/control-plane.ts'
import type { CodeLocation } from '../admin/code-location.ts'
import type { OperationRequest } from './parse.ts'

export interface Services {
  readonly control: ControlPlane
  /** Absent behind a door that has no code downloads. */
  readonly codeLocation?: CodeLocation
}

/** Gives the JSON of the answer, or `undefined` for an empty one. The status is the table's. */
export type Handler = (request: OperationRequest, services: Services) => Promise<object | undefined>
