/** Input shapes of the operations that Hearth has, from the service model 2015-03-31. Constraints are the model's, in its words. */
import type { Architecture, RecursiveLoop } from '../lambda/function.ts'
import { LIMITS } from '../lambda/limits.ts'
import { layerVersionArnConstraint } from './layer-inputs.ts'
import {
  anyStructure,
  blob,
  bool,
  fractionMap,
  integer,
  list,
  named,
  required,
  structure,
  structures,
  text,
  textMap,
} from './shapes.ts'

const REGION = '(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}'

const description = text({ min: 0, max: 256 })
const kmsKeyArn = text({ min: 0, max: 10_000, pattern: '(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()' })
const targetArn = kmsKeyArn
const publishTo = text({ values: ['LATEST_PUBLISHED'] })
const architectures = list(text<Architecture>({ values: ['x86_64', 'arm64'] }), { min: 1, max: 1, notNull: true })
const role = text({
  min: 0,
  max: 10_000,
  pattern: 'arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+',
})
const tagKey = { min: 1, max: 128, pattern: '([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)' }
const tagValue = { min: 0, max: 256, pattern: '([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)' }
const version = text({ min: 1, max: 1024, pattern: '(\\$LATEST(\\.PUBLISHED)?|[0-9]+)' })
const aliasName = text({ min: 1, max: 128, pattern: '(?!^[0-9]+$)([a-zA-Z0-9-_]+)' })

const code = {
  zipFile: blob(),
  s3Bucket: text({ min: 3, max: 63, pattern: '[0-9A-Za-z\\.\\-_]*(?<!\\.)' }),
  s3Key: text({ min: 1, max: 1024, pattern: '.*' }),
  s3ObjectVersion: text({ min: 1, max: 1024, pattern: '.*' }),
  s3ObjectStorageMode: text({ values: ['COPY', 'REFERENCE'] }),
  imageUri: text(),
  sourceKmsKeyArn: named('SourceKMSKeyArn', kmsKeyArn),
}

const settings = {
  // Runtime identifiers are checked by the control plane, which has AWS's own text for unknown ones.
  runtime: text(),
  handler: text({ min: 0, max: 128, pattern: '[^\\s]+' }),
  description,
  timeout: integer({ min: 1, max: 5400 }),
  memorySize: integer({ min: 128, max: 32_768 }),
  ephemeralStorage: structure({ size: required(integer({ min: 512, max: 32_768 })) }),
  environment: structure({ variables: textMap({ pattern: '[a-zA-Z]([a-zA-Z0-9_])+' }, {}) }),
  loggingConfig: structure({
    logFormat: text({ values: ['JSON', 'Text'] }),
    applicationLogLevel: text({ values: ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] }),
    systemLogLevel: text({ values: ['DEBUG', 'INFO', 'WARN'] }),
    logGroup: text({ min: 1, max: 512, pattern: '[\\.\\-_/#A-Za-z0-9]+' }),
  }),
  tracingConfig: structure({ mode: text({ values: ['Active', 'PassThrough'] }) }),
  snapStart: structure({ applyOn: text({ values: ['PublishedVersions', 'None'] }) }),
  layers: list(text(layerVersionArnConstraint), { notNull: true }),
  vpcConfig: structure({
    subnetIds: list(text({ min: 0, max: 1024, pattern: 'subnet-[0-9a-z]*' }), { min: 0, max: 16 }),
    securityGroupIds: list(text({ min: 0, max: 1024, pattern: 'sg-[0-9a-zA-Z]*' }), { min: 0, max: 5 }),
    ipv6AllowedForDualStack: bool(),
  }),
  deadLetterConfig: structure({ targetArn }),
  kmsKeyArn: named('KMSKeyArn', kmsKeyArn),
  fileSystemConfigs: structures(
    {
      arn: required(
        text({
          min: 0,
          max: 256,
          pattern: `arn:aws[a-zA-Z-]*:elasticfilesystem:${REGION}:\\d{12}:access-point/fsap-[a-f0-9]{17}$|^arn:aws[-a-z]*:s3files:[0-9a-z-:]+:file-system/fs-[0-9a-f]{17,40}/access-point/fsap-[0-9a-f]{17,40}`,
        }),
      ),
      localMountPath: required(text({ min: 0, max: 160, pattern: '/mnt/[a-zA-Z0-9-_.]+' })),
      s3FilesConfig: named('S3FilesConfig', anyStructure()),
    },
    { min: 0, max: 1 },
  ),
  imageConfig: structure({
    entryPoint: list(text(), { min: 0, max: 1500 }),
    command: list(text(), { min: 0, max: 1500 }),
    workingDirectory: text({ min: 0, max: 1000 }),
  }),
  capacityProviderConfig: anyStructure(),
  durableConfig: anyStructure(),
}

export const createFunction = structure({
  // Its constraints are checked with those of names in paths.
  functionName: required(text()),
  ...settings,
  role: required(role),
  code: required(structure(code)),
  packageType: text({ values: ['Zip', 'Image'] }),
  architectures,
  publish: bool(),
  publishTo,
  tags: textMap(tagKey, tagValue),
  codeSigningConfigArn: text({
    min: 0,
    max: 200,
    pattern: `arn:(aws[a-zA-Z-]*)?:lambda:${REGION}:\\d{12}:code-signing-config:csc-[a-z0-9]{17}`,
  }),
  tenancyConfig: anyStructure(),
})

export const updateFunctionCode = structure({
  ...code,
  architectures,
  publish: bool(),
  publishTo,
  dryRun: bool(),
  revisionId: text(),
})

export const updateFunctionConfiguration = structure({ ...settings, role, revisionId: text() })

export const publishVersion = structure({ codeSha256: text(), description, revisionId: text(), publishTo })

const routingConfig = structure({
  additionalVersionWeights: fractionMap({ min: 1, max: 1024, pattern: '[0-9]+' }),
})

export const createAlias = structure({
  name: required(aliasName),
  functionVersion: required(version),
  description,
  routingConfig,
})

export const updateAlias = structure({
  functionVersion: version,
  description,
  routingConfig,
  revisionId: text(),
})

export const putFunctionConcurrency = structure({ reservedConcurrentExecutions: required(integer({ min: 0 })) })

export const putRuntimeManagementConfig = structure({
  updateRuntimeOn: required(text({ values: ['Auto', 'Manual', 'FunctionUpdate'] })),
  runtimeVersionArn: text({ min: 26, max: 2048, pattern: `arn:(aws[a-zA-Z-]*):lambda:${REGION}::runtime:.+` }),
})

const destination = structure({
  destination: text({
    min: 0,
    max: 350,
    pattern:
      '$|kafka://([^.]([a-zA-Z0-9\\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1})?:(\\d{12})?:(.*)',
  }),
})

export const eventInvokeConfig = structure({
  maximumRetryAttempts: integer(LIMITS.eventRetries),
  maximumEventAgeInSeconds: integer(LIMITS.eventAgeS),
  destinationConfig: structure({ onSuccess: destination, onFailure: destination }),
})

export const putFunctionRecursionConfig = structure({
  recursiveLoop: required(text<RecursiveLoop>({ values: ['Terminate', 'Allow'] })),
})

export const putProvisionedConcurrencyConfig = structure({
  provisionedConcurrentExecutions: required(integer({ min: 1 })),
})

export const tagResource = structure({ tags: required(textMap(tagKey, tagValue)) })

/** Query and path members: always texts. */
export const members = {
  aliasName,
  version,
  allVersions: text({ values: ['ALL'] }),
  masterRegion: text({ min: 1, max: 50, pattern: `ALL|${REGION}` }),
  tagKeys: list(text(tagKey)),
  taggableResource: text({
    min: 1,
    max: 10_000,
    pattern: `arn:(aws[a-zA-Z-]*):lambda:${REGION}:\\d{12}:(function:[a-zA-Z0-9-_]+(:(\\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|capacity-provider:[a-zA-Z0-9-_]+)`,
  }),
  maxItems: { min: 1, max: 10_000 },
  maxEventInvokeConfigs: { min: 1, max: 50 },
} as const
