/**
 * The operations of the API 2014-11-11, which the first SDKs sent. Their shapes are others (FunctionARN, settings in the query) and the only runtime
 * that they know is withdrawn, so they are refused by name; InvokeAsync alone is in today's service model.
 */

export interface EarlierOperation {
  readonly name: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  /** The operation of 2015-03-31 in its place. */
  readonly now: string
}

const FUNCTIONS = '/2014-11-13/functions'
const MAPPINGS = '/2014-11-13/event-source-mappings'

// biome-ignore format: a table has one row on each line
export const EARLIER_OPERATIONS: readonly EarlierOperation[] = [
  { name: 'AddEventSource', method: 'POST', path: MAPPINGS, now: 'CreateEventSourceMapping' },
  { name: 'DeleteFunction', method: 'DELETE', path: `${FUNCTIONS}/:name`, now: 'DeleteFunction' },
  { name: 'GetEventSource', method: 'GET', path: `${MAPPINGS}/:uuid`, now: 'GetEventSourceMapping' },
  { name: 'GetFunction', method: 'GET', path: `${FUNCTIONS}/:name`, now: 'GetFunction' },
  { name: 'GetFunctionConfiguration', method: 'GET', path: `${FUNCTIONS}/:name/configuration`, now: 'GetFunctionConfiguration' },
  { name: 'ListEventSources', method: 'GET', path: MAPPINGS, now: 'ListEventSourceMappings' },
  { name: 'ListFunctions', method: 'GET', path: FUNCTIONS, now: 'ListFunctions' },
  { name: 'RemoveEventSource', method: 'DELETE', path: `${MAPPINGS}/:uuid`, now: 'DeleteEventSourceMapping' },
  { name: 'UpdateFunctionConfiguration', method: 'PUT', path: `${FUNCTIONS}/:name/configuration`, now: 'UpdateFunctionConfiguration' },
  { name: 'UploadFunction', method: 'PUT', path: `${FUNCTIONS}/:name`, now: 'CreateFunction or UpdateFunctionCode' },
]

export function refusalOf({ name, now }: EarlierOperation): string {
  return `${name} belongs to the Lambda API 2014-11-11, which has no runtime left. Use ${now} of the API 2015-03-31.`
}
