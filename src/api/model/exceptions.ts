/** Where AWS answers otherwise than its service model says. Each row was recorded; `observed-errors.json` has the tests that saw it. */
import { REGION } from '../../lambda/arn.ts'

/** Values in the order in which they are listed, by shape. */
export const LISTED_VALUES: Readonly<Record<string, readonly string[]>> = {
  // test_create_event_source_validation
  EventSourcePosition: ['LATEST', 'AT_TIMESTAMP', 'TRIM_HORIZON'],
  // test_put_function_recursion_config_invalid_value
  RecursiveLoop: ['Terminate', 'Allow'],
  // test_lambda_url_invalid_invoke_mode
  InvokeMode: ['RESPONSE_STREAM', 'BUFFERED'],
}

/** Lists whose rule for members ends with "Member must not be null": test_create_lambda_exceptions, test_layer_exceptions. */
export const NOT_NULL_ITEMS: ReadonlySet<string> = new Set([
  'ArchitecturesList',
  'CompatibleArchitectures',
  'LayerList',
])

/** Lists that name the rule of their members as if it were their own: test_layer_exceptions. */
export const BARE_ITEM_RULES: ReadonlySet<string> = new Set(['CompatibleRuntimes'])

const UUID = '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}'

export const PATTERNS: Readonly<Record<string, string>> = {
  // test_layer_function_exceptions, test_layer_exceptions: no parentheses around the whole.
  LayerVersionArn: `(arn:(aws[a-zA-Z-]*)?:lambda:${REGION}:\\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)`,
  // test_tag_exceptions: layers are in it, network connectors are not.
  TaggableResource: `arn:(aws[a-zA-Z-]*):lambda:${REGION}:\\d{12}:(function:[a-zA-Z0-9-_]+(:(\\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:${UUID}|capacity-provider:[a-zA-Z0-9-_]+)`,
}

/**
 * Members that are not checked here. Runtimes of functions: unknown and withdrawn ones are refused by the control plane with an
 * InvalidParameterValueException (test_create_lambda_exceptions).
 */
export const UNCHECKED: ReadonlySet<string> = new Set([
  'CreateFunctionRequest.Runtime',
  'UpdateFunctionConfigurationRequest.Runtime',
])

/** Members whose violations come before those of the others of their request: test_layer_exceptions. */
export const FIRST: ReadonlySet<string> = new Set(['PublishLayerVersionRequest.CompatibleRuntimes'])
