/** The members of request bodies, from the service model 2015-03-31. What is allowed in them is the business of `model/`. */
import type { UntrustedArtifactPolicy } from '../../lambda/code-signing.ts'
import type { Architecture, RecursiveLoop } from '../../lambda/function.ts'
import { anyStructure, blob, bool, list, map, named, number, required, structure, text } from './shapes.ts'

const architectures = list(text<Architecture>())

const object = {
  zipFile: blob(),
  s3Bucket: text(),
  s3Key: text(),
  s3ObjectVersion: text(),
  s3ObjectStorageMode: text(),
}

const code = { ...object, imageUri: text(), sourceKmsKeyArn: named('SourceKMSKeyArn', text()) }

const settings = {
  runtime: text(),
  handler: text(),
  description: text(),
  timeout: number(),
  memorySize: number(),
  ephemeralStorage: structure({ size: required(number()) }),
  environment: structure({ variables: map(text()) }),
  loggingConfig: structure({
    logFormat: text(),
    applicationLogLevel: text(),
    systemLogLevel: text(),
    logGroup: text(),
  }),
  tracingConfig: structure({ mode: text<'Active' | 'PassThrough'>() }),
  snapStart: structure({ applyOn: text() }),
  layers: list(text()),
  vpcConfig: structure({
    subnetIds: list(text()),
    securityGroupIds: list(text()),
    ipv6AllowedForDualStack: bool(),
  }),
  deadLetterConfig: structure({ targetArn: text() }),
  kmsKeyArn: named('KMSKeyArn', text()),
  fileSystemConfigs: list(
    structure({
      arn: required(text()),
      localMountPath: required(text()),
      s3FilesConfig: anyStructure(),
    }),
  ),
  imageConfig: structure({
    entryPoint: list(text()),
    command: list(text()),
    workingDirectory: text(),
  }),
  capacityProviderConfig: anyStructure(),
  durableConfig: anyStructure(),
  runtimeConfig: anyStructure(),
  acceleratorConfig: anyStructure(),
}

export const createFunction = structure({
  functionName: required(text()),
  ...settings,
  role: required(text()),
  code: required(structure(code)),
  packageType: text(),
  architectures,
  publish: bool(),
  publishTo: text(),
  tags: map(text()),
  codeSigningConfigArn: text(),
  tenancyConfig: anyStructure(),
})

export const updateFunctionCode = structure({
  ...code,
  architectures,
  publish: bool(),
  publishTo: text(),
  dryRun: bool(),
  revisionId: text(),
})

export const updateFunctionConfiguration = structure({ ...settings, role: text(), revisionId: text() })

export const publishVersion = structure({
  codeSha256: text(),
  description: text(),
  revisionId: text(),
  publishTo: text(),
})

const routingConfig = structure({ additionalVersionWeights: map(number()) })

export const createAlias = structure({
  name: required(text()),
  functionVersion: required(text()),
  description: text(),
  routingConfig,
})

export const updateAlias = structure({
  functionVersion: text(),
  description: text(),
  routingConfig,
  revisionId: text(),
})

export const putFunctionConcurrency = structure({ reservedConcurrentExecutions: required(number()) })

export const putRuntimeManagementConfig = structure({
  updateRuntimeOn: required(text<'Auto' | 'Manual' | 'FunctionUpdate'>()),
  runtimeVersionArn: text(),
})

const destination = structure({ destination: text() })

export const eventInvokeConfig = structure({
  maximumRetryAttempts: number(),
  maximumEventAgeInSeconds: number(),
  destinationConfig: structure({ onSuccess: destination, onFailure: destination }),
})

export const putFunctionRecursionConfig = structure({ recursiveLoop: required(text<RecursiveLoop>()) })

export const putProvisionedConcurrencyConfig = structure({ provisionedConcurrentExecutions: required(number()) })

export const tagResource = structure({ tags: required(map(text())) })

export const addPermission = structure({
  statementId: required(text()),
  action: required(text()),
  principal: required(text()),
  sourceArn: text(),
  sourceAccount: text(),
  eventSourceToken: text(),
  functionUrlAuthType: text<'NONE' | 'AWS_IAM'>(),
  invokedViaFunctionUrl: bool(),
  principalOrgID: text(),
  revisionId: text(),
})

export const putResourcePolicy = structure({ policy: required(text()), revisionId: text() })

export const publishLayerVersion = structure({
  description: text(),
  content: required(structure(object)),
  compatibleRuntimes: list(text()),
  compatibleArchitectures: list(text<Architecture>()),
  licenseInfo: text(),
})

export const addLayerVersionPermission = structure({
  statementId: required(text()),
  action: required(text()),
  principal: required(text()),
  organizationId: text(),
})

const codeSigning = {
  description: text(),
  codeSigningPolicies: structure({ untrustedArtifactOnDeployment: text<UntrustedArtifactPolicy>() }),
}
const allowedPublishers = structure({ signingProfileVersionArns: required(list(text())) })

export const createCodeSigningConfig = structure({
  ...codeSigning,
  allowedPublishers: required(allowedPublishers),
  tags: map(text()),
})

export const updateCodeSigningConfig = structure({ ...codeSigning, allowedPublishers })

export const putFunctionCodeSigningConfig = structure({ codeSigningConfigArn: required(text()) })
