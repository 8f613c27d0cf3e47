/** LogFormat JSON in real environments: the runtime clients, the platform's records, and the tail of the answer. */
import { UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { active, createFunction, invoke } from '../support/functions.ts'
import { startTestHost, type TestHost } from '../support/host.ts'

let host: TestHost
beforeAll(async () => {
  host = await startTestHost()
})
afterAll(() => host?.stop())

const records = (log: string) =>
  log
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown> & { type?: string })

describe('LogFormat JSON', () => {
  it('makes every line of a managed runtime a record, filtered by both levels', async () => {
    const code = `exports.handler = async () => {
      console.debug('quiet'); console.info('said'); console.error('loud')
      return [process.env.AWS_LAMBDA_LOG_FORMAT, process.env.AWS_LAMBDA_LOG_LEVEL]
    }`
    const LoggingConfig = { LogFormat: 'JSON' } as const
    await createFunction(host.client, 'json', { 'index.js': code }, { LoggingConfig })
    const first = await invoke(host.client, 'json', {}, { LogType: 'Tail' })
    expect(first.body).toEqual(['JSON', 'INFO'])
    expect(records(first.log).map(({ type, level }) => type ?? level)).toEqual([
      'platform.start',
      'INFO',
      'ERROR',
      'platform.report',
    ])
    expect(records(first.log)[1]).toMatchObject({ message: 'said', requestId: first.$metadata.requestId })

    await host.client.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName: 'json',
        LoggingConfig: { ApplicationLogLevel: 'FATAL', SystemLogLevel: 'DEBUG' },
      }),
    )
    await active(host.client, 'json')
    const second = await invoke(host.client, 'json', {}, { LogType: 'Tail' })
    expect(second.body).toEqual(['JSON', 'FATAL'])
    expect(records(second.log).map(({ type, level }) => type ?? level)).toEqual([
      'platform.start',
      'platform.runtimeDone',
      'platform.report',
    ])
  })

  it('filters the JSON lines of a function that writes them itself, and tells why an invocation failed', async () => {
    const code = [
      'import json, os',
      'def handler(event, context):',
      "  for level in ['DEBUG', 'WARN']:",
      "    print(json.dumps({'timestamp': '2026-01-05T10:00:00Z', 'level': level}), flush=True)",
      "  print('plain', flush=True)",
      '  os._exit(3)',
    ].join('\n')
    await createFunction(
      host.client,
      'own',
      { 'index.py': code },
      { Runtime: 'python3.13', LoggingConfig: { LogFormat: 'JSON', SystemLogLevel: 'WARN' } },
    )
    const { log, FunctionError } = await invoke(host.client, 'own', {}, { LogType: 'Tail' })
    expect(FunctionError).toBe('Unhandled')
    const [own, plain, ...platform] = log.trimEnd().split('\n')
    expect(JSON.parse(own ?? '')).toMatchObject({ level: 'WARN' })
    expect(plain).toBe('plain')
    expect(platform.map((line) => JSON.parse(line))).toMatchObject([
      { type: 'platform.fault', record: expect.stringContaining('exit status 3') },
      { type: 'platform.runtimeDone', record: { status: 'error', errorType: 'Runtime.ExitError' } },
      { type: 'platform.report', record: { status: 'error', errorType: 'Runtime.ExitError' } },
    ])
  })
})
