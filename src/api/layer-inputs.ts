/** Input shapes of layers, from the service model 2015-03-31. */
import type { Architecture } from '../lambda/function.ts'
import { creatableRuntimes, knownRuntimes } from '../lambda/runtimes.ts'
import { lengthFaults, violation } from '../lambda/validation.ts'
import { blob, list, required, type Shape, structure, text } from './shapes.ts'

const REGION = '(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}'

export const layerVersionArnConstraint = {
  min: 1,
  max: 2048,
  pattern: `(arn:(aws[a-zA-Z-]*)?:lambda:${REGION}:\\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)`,
} as const

const organizationId = text({ min: 0, max: 34, pattern: 'o-[a-z0-9]{10,32}' })
const statementId = text({ min: 1, max: 100, pattern: '([a-zA-Z0-9-_]+)' })

/** Recorded: a list with a wrong runtime is answered like one wrong value, not with the rules of its members. */
function runtimeList(): Shape<string[]> {
  const items = list(text())
  return {
    show: items.show,
    read(value, member, violations) {
      const runtimes = items.read(value, member, violations)
      const known = creatableRuntimes()
      const faults = lengthFaults(runtimes.length, { min: 0, max: 15 })
      if (runtimes.some((runtime) => !known.includes(runtime))) {
        faults.push(`Member must satisfy enum value set: [${known.join(', ')}]`)
      }
      violations.push(...faults.map((fault) => violation(items.show(runtimes), member, fault)))
      return runtimes
    },
  }
}

export const publishLayerVersion = structure({
  description: text({ min: 0, max: 256 }),
  content: required(
    structure({
      zipFile: blob(),
      s3Bucket: text({ min: 3, max: 63, pattern: '[0-9A-Za-z\\.\\-_]*(?<!\\.)' }),
      s3Key: text({ min: 1, max: 1024, pattern: '.*' }),
      s3ObjectVersion: text({ min: 1, max: 1024, pattern: '.*' }),
      s3ObjectStorageMode: text({ values: ['COPY', 'REFERENCE'] }),
    }),
  ),
  compatibleRuntimes: runtimeList(),
  compatibleArchitectures: list(text<Architecture>({ values: ['x86_64', 'arm64'] }), { max: 2, notNull: true }),
  licenseInfo: text({ min: 0, max: 512, pattern: '[\\s\\S]*' }),
})

export const addLayerVersionPermission = structure({
  statementId: required(statementId),
  action: required(text({ min: 0, max: 22, pattern: 'lambda:GetLayerVersion' })),
  principal: required(text({ min: 0, max: 10_000, pattern: '\\d{12}|\\*|arn:(aws[a-zA-Z-]*):iam::\\d{12}:root' })),
  organizationId,
})

/** Query and path members: always texts. */
export const layerMembers = {
  layerName: text({
    min: 1,
    max: 140,
    pattern: `(arn:(aws[a-zA-Z-]*)?:lambda:${REGION}:\\d{12}:layer:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+`,
  }),
  layerVersionArn: text(layerVersionArnConstraint),
  compatibleArchitecture: text<Architecture>({ values: ['x86_64', 'arm64'] }),
  compatibleRuntime: text({ values: knownRuntimes() }),
  statementId,
  maxItems: { min: 1, max: 50 },
} as const
