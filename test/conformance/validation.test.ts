/**
 * The recorded refusals of the model's constraints for operations besides those of `control-plane.test.ts`: they come from the table of
 * the service model, whether Hearth has the operation or not.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import {
  AddLayerVersionPermissionCommand,
  AddPermissionCommand,
  CreateEventSourceMappingCommand,
  CreateFunctionUrlConfigCommand,
  GetLayerVersionByArnCommand,
  ListLayersCommand,
  PublishLayerVersionCommand,
  PutFunctionEventInvokeConfigCommand,
  PutFunctionRecursionConfigCommand,
  PutProvisionedConcurrencyConfigCommand,
} from '@aws-sdk/client-lambda'
import { describe, expect, it } from 'vitest'
import observed from '../fixtures/observed-validation.json' with { type: 'json' }
import { controlPlane } from './control-plane-session.ts'
import { expectRecorded } from './recorded-error.ts'

const { lambda } = await controlPlane()

const FunctionName = 'f'
const functionUrl = (changes: object) => () =>
  lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName, AuthType: 'NONE', ...changes }))
const permission = (changes: object) => () =>
  lambda.send(
    new AddPermissionCommand({
      FunctionName,
      StatementId: 's1',
      Action: 'lambda:InvokeFunction',
      Principal: 's3.amazonaws.com',
      ...changes,
    }),
  )
const layerVersion = (CompatibleRuntimes: string[], CompatibleArchitectures: string[]) => () =>
  lambda.send(
    new PublishLayerVersionCommand({
      LayerName: 'l',
      Content: { ZipFile: Buffer.from('PK') },
      CompatibleRuntimes: CompatibleRuntimes as 'nodejs20.x'[],
      CompatibleArchitectures: CompatibleArchitectures as 'x86_64'[],
    }),
  )

/** By the test that recorded the row; the strings replace the placeholders of its text. */
const PROVOCATIONS: Readonly<Record<string, readonly [send: () => Promise<unknown>, is?: Record<string, string>]>> = {
  'test_url_config_exceptions / create_function_url_config_qualifier_latest': [functionUrl({ Qualifier: '$LATEST' })],
  'test_url_config_exceptions / create_function_url_config_name_doesnotexist_qualifier': [
    functionUrl({ Qualifier: '1' }),
  ],
  'test_url_config_exceptions / create_function_url_config_qualifier_version_doesnotexist': [
    functionUrl({ Qualifier: '2' }),
  ],
  'test_lambda_url_invalid_invoke_mode / invoke_function_invalid_invoke_type': [functionUrl({ InvokeMode: 'UNKNOWN' })],
  'test_layer_policy_exceptions / layer_permission_action_invalid': [
    () =>
      lambda.send(
        new AddLayerVersionPermissionCommand({
          LayerName: 'l',
          VersionNumber: 1,
          StatementId: 's1',
          Action: '*',
          Principal: '*',
        }),
      ),
  ],
  'test_provisioned_concurrency_exceptions / put_provisioned_invalid_param_0': [
    () =>
      lambda.send(
        new PutProvisionedConcurrencyConfigCommand({
          FunctionName,
          Qualifier: '1',
          ProvisionedConcurrentExecutions: 0,
        }),
      ),
  ],
  'test_put_function_recursion_config_invalid_value / put_recursion_invalid_value_error': [
    () =>
      lambda.send(new PutFunctionRecursionConfigCommand({ FunctionName, RecursiveLoop: 'InvalidValue' as 'Allow' })),
  ],
  'test_layer_exceptions / list_layers_exc_compatiblearchitecture_invalid': [
    () => lambda.send(new ListLayersCommand({ CompatibleArchitecture: 'archdoesnotexist' as 'arm64' })),
  ],
  'test_layer_exceptions / list_layers_exc_compatibleruntime_invalid': [
    () => lambda.send(new ListLayersCommand({ CompatibleRuntime: 'runtimedoesnotexist' as 'java21' })),
  ],
  'test_layer_exceptions / get_layer_version_by_arn_exc_invalidarn': [
    () => lambda.send(new GetLayerVersionByArnCommand({ Arn: 'arn:aws:lambda:us-east-1:111111111111:layer:l' })),
    { '<resource:1>': 'l' },
  ],
  'test_layer_exceptions / publish_layer_version_exc_partially_invalid_values': [
    layerVersion(['invalidruntime', 'invalidruntime2', 'nodejs20.x'], ['invalidarch', 'x86_64']),
  ],
  'test_layer_exceptions / publish_layer_version_exc_invalid_runtime_arch': [
    layerVersion(['invalidruntime'], ['invalidarch']),
  ],
  'test_lambda_eventinvokeconfig_exceptions / put_destination_invalid_arn_pattern': [
    () =>
      lambda.send(
        new PutFunctionEventInvokeConfigCommand({
          FunctionName,
          DestinationConfig: {
            OnFailure: { Destination: 'arn:aws:_-/!lambda:us-east-1:111111111111:function:g' },
          },
        }),
      ),
    { '<function-name:1>': 'g' },
  ],
  'test_permission_exceptions / add_permission_invalid_statement_id': [permission({ StatementId: 'example.com' })],
  'test_permission_exceptions / add_permission_fn_qualifier_invalid': [
    permission({ Qualifier: 'invalid-qualifier-with-?-char' }),
  ],
  'test_create_event_source_validation / invalid_starting_position': [
    () =>
      lambda.send(
        new CreateEventSourceMappingCommand({
          FunctionName,
          EventSourceArn: 'arn:aws:kinesis:us-east-1:111111111111:stream/s',
          StartingPosition: 'invalid' as 'LATEST',
        }),
      ),
  ],
}

describe('recorded refusals of the model', () => {
  for (const row of observed) {
    it(`${row.code}: ${row.seenIn}`, async () => {
      const [send, is = {}] = PROVOCATIONS[row.seenIn] ?? []
      if (send === undefined) throw new Error('no provocation for this recording')
      await expect(send()).rejects.toMatchObject({ name: row.code })
      expectRecorded(lambda.last(), row, is)
    })
  }
})

it('README.md counts the recordings that tests provoke', () => {
  const fixtures = resolve(import.meta.dirname, '../fixtures')
  const rows = readdirSync(fixtures)
    .filter((name) => /^observed-.*\.json$/.test(name))
    .flatMap(
      (name) => JSON.parse(readFileSync(resolve(fixtures, name), 'utf8')) as { seenIn: string; message: string }[],
    )
  const distinct = new Set(rows.map(({ seenIn, message }) => `${seenIn}: ${message}`))
  const readme = readFileSync(resolve(import.meta.dirname, 'README.md'), 'utf8')
  const [, counted] = /(\d+) of the 166 errors/.exec(readme) ?? []
  expect(Number(counted)).toBe(distinct.size)
})
