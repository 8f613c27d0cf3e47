/**
 * The services that share Lambda's endpoint: customer-managed runtimes and network connectors (AWS Lambda Core), web functions, MicroVMs. A client
 * of theirs that is pointed at this host gets a refusal that names the service and the operation. Names and paths come from their models.
 */
import { LambdaException } from '../lambda/errors.ts'
import generated from './model/sibling-operations.json' with { type: 'json' }

export interface SiblingOperation {
  readonly service: string
  readonly name: string
  readonly method: string
  /** As in the model; `{Label}` is one percent-encoded segment. */
  readonly path: string
  /** Why there is no such operation here, for the caller. */
  readonly refused: string
}

const RUNTIMES =
  'Customer-managed runtimes are not supported by Hearth yet. Use a provided runtime or a container image.'
const CONNECTORS =
  'Network connectors are not supported by Hearth, and not planned. Use VpcConfig with the networks of the host.'

const REASONS: Readonly<Record<string, (operation: string) => string>> = {
  'AWS Lambda Core': (operation) => (operation.includes('NetworkConnector') ? CONNECTORS : RUNTIMES),
  'Lambda Web': () => 'Web functions are not supported by Hearth yet. Use a function and Invoke.',
  'Lambda MicroVMs': () => 'MicroVMs are not supported by Hearth, and not planned. Use a function.',
}

export const SIBLING_OPERATIONS: readonly SiblingOperation[] = Object.entries(generated).flatMap(
  ([service, operations]) => {
    const reason = REASONS[service]
    if (reason === undefined) throw new Error(`there is no reason for refusing the operations of ${service}`)
    return Object.entries(operations as Record<string, string[]>).map(([name, [method = '', path = '']]) => ({
      service,
      name,
      method,
      path,
      refused: reason(name),
    }))
  },
)

/** AWS Lambda Core has Lambda's form of errors; those of the others have the text alone, always as `message`. */
export function siblingRefusal({ service, name, refused }: SiblingOperation): LambdaException {
  const detail = service === 'AWS Lambda Core' ? {} : { key: 'message' as const }
  return new LambdaException('UnknownOperationException', `${service} ${name}: ${refused}`, detail)
}
