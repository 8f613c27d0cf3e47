/** A function's configuration for tests that need no certain one. */
import type { FunctionConfiguration } from '../../src/lambda/function.ts'

export function validConfiguration(changes: Partial<FunctionConfiguration> = {}): FunctionConfiguration {
  return {
    runtime: 'python3.12',
    handler: 'app.handler',
    role: 'arn:aws:iam::111111111111:role/r',
    description: '',
    timeout: 3,
    memorySize: 128,
    ephemeralStorage: 512,
    architecture: 'x86_64',
    packageType: 'Zip',
    tracingMode: 'PassThrough',
    logging: { logFormat: 'Text', logGroup: '/aws/lambda/f' },
    codeSha256: 'sha-1',
    codeSize: 100,
    ...changes,
  }
}
