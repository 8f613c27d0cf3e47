/** THE table of settings: name, environment variable, meaning, unit, kind of value and default of each. */
import type { z } from 'zod'
import { ONE_REGION } from '../lambda/arn.ts'
import { LIMITS } from '../lambda/limits.ts'
import {
  ACCESS_POINT,
  FILE_SYSTEM,
  NETWORK,
  SECURITY_GROUP,
  SECURITY_GROUP_ID,
  SUBNET_ID,
} from '../lambda/machine-room.ts'
import { FUNCTION_API_SETTINGS } from './function-api-settings.ts'
import { PORT_SETTINGS } from './port-settings.ts'
import { setting } from './setting.ts'
import { SIGNING_SETTINGS } from './signing-settings.ts'
import { bytes, matching, numberList, oneOf, pairs, portList, wholeNumber } from './values.ts'

const MIB = 1024 * 1024

/** An idle environment with a small function takes about 45 MB, a busy one its MemorySize: 128 MB each, from three quarters of the memory. */
const ENVIRONMENT_BYTES = 128 * MIB

export const SETTINGS = {
  port: setting({
    env: 'HEARTH_PORT',
    form: 'PORT',
    description: 'Port of the Lambda API. 0 takes any free port and prints it.',
    schema: wholeNumber(0, 65_535),
    fallback: () => 9000,
  }),
  host: setting({
    env: 'HEARTH_HOST',
    form: 'ADDRESS',
    description:
      'Address that the Lambda API listens on. An address that other machines can reach needs allowAnonymous, because Hearth does not verify signatures.',
    schema: matching(/^[0-9A-Za-z.:_-]{1,253}$/, 'must be a host name or an IP address'),
    fallback: () => '127.0.0.1',
  }),
  ...PORT_SETTINGS,
  data: setting({
    env: 'HEARTH_DATA',
    form: 'FOLDER',
    description:
      'Folder for everything the host keeps: database, packages, keys and logs. A relative path starts at the current folder.',
    schema: matching(/^[^\0]{1,4000}$/, 'must be the path of a folder'),
    fallback: () => '.hearth',
    defaultText: '.hearth in the current folder',
  }),
  region: setting({
    env: 'HEARTH_REGION',
    form: 'REGION',
    description: 'Region of requests that are not signed. A signed request names its own region.',
    // Any other would be in ARNs that the service model refuses.
    schema: matching(ONE_REGION, 'must be the name of an AWS region, for example us-east-1'),
    fallback: () => 'us-east-1',
  }),
  accountId: setting({
    env: 'HEARTH_ACCOUNT_ID',
    form: 'ACCOUNT',
    description: 'Account used when the access key does not name one.',
    schema: matching(/^\d{12}$/, 'must be twelve digits'),
    fallback: () => '000000000000',
  }),
  accessKeys: setting({
    env: 'HEARTH_ACCESS_KEYS',
    form: 'AKID=ACCOUNT,…',
    description:
      'Account of each access key id. A key id that ends in twelve digits needs no entry: the digits are its account.',
    schema: pairs(
      /^[A-Za-z0-9_]{1,128}$/,
      /^\d{12}$/,
      'must be pairs of access key id and twelve-digit account, for example AKIAEXAMPLE=111122223333',
    ),
    fallback: () => ({}),
    defaultText: 'none',
    secret: 'keys',
  }),
  accountConcurrency: setting({
    env: 'HEARTH_ACCOUNT_CONCURRENCY',
    form: 'NUMBER',
    unit: 'executions',
    description: 'How many executions an account may run at the same time in one region.',
    schema: wholeNumber(1, 100_000),
    fallback: () => LIMITS.accountConcurrency,
  }),
  unreservedMinimum: setting({
    env: 'HEARTH_UNRESERVED_MINIMUM',
    form: 'NUMBER',
    unit: 'executions',
    description: 'Concurrency that must remain for the functions of the account that have no reservation.',
    schema: wholeNumber(0, 100_000),
    fallback: (_machine, given) =>
      Math.min(LIMITS.unreservedMinimum, Number(given.accountConcurrency ?? LIMITS.accountConcurrency)),
    defaultText: '100, or accountConcurrency where that is smaller',
  }),
  stateDelayMs: setting({
    env: 'HEARTH_STATE_DELAY_MS',
    form: 'NUMBER',
    unit: 'milliseconds',
    description:
      'Least time for which a new function stays Pending and an updated one InProgress. On AWS both take seconds. Set a few thousand to test whether a program waits for them.',
    schema: wholeNumber(0, 600_000),
    fallback: () => 0,
  }),
  codeStorageMaxBytes: setting({
    env: 'HEARTH_CODE_STORAGE_MAX_BYTES',
    form: 'SIZE',
    unit: 'bytes',
    description:
      'How much code (functions, versions and layers) an account may store in one region. Hearth refuses uploads beyond this.',
    schema: bytes(1 * MIB),
    fallback: () => LIMITS.totalCodeBytes,
    defaultText: '300G',
  }),
  requestRateFactor: setting({
    env: 'HEARTH_REQUEST_RATE_FACTOR',
    form: 'NUMBER',
    unit: 'requests per second',
    description:
      'Synchronous requests per second for each unit of concurrency. It applies to the concurrency of the account, to reservations and to provisioned concurrency. 0 removes the limit.',
    schema: wholeNumber(0, 100_000),
    fallback: () => LIMITS.requestRateFactor,
  }),
  scalingRate: setting({
    env: 'HEARTH_SCALING_RATE',
    form: 'NUMBER',
    unit: 'environments in 10 seconds',
    description:
      'How many on-demand environments one function may start in 10 seconds. Invokes that need more are throttled. 0 removes the limit.',
    schema: wholeNumber(0, 100_000),
    fallback: () => LIMITS.scalingRate,
  }),
  functionEnv: setting({
    env: 'HEARTH_FUNCTION_ENV_*',
    form: 'NAME=VALUE,…',
    description:
      "Environment variables for every function. They replace the runtime's defaults (TZ, LANG …); a function's own variables replace them. Set one variable for each: HEARTH_FUNCTION_ENV_NAME=value. Hearth uses the whole value, commas included.",
    schema: pairs(
      /^[A-Za-z][A-Za-z0-9_]*$/,
      /^[^\0]*$/,
      'must be variables whose names have letters, digits and _ and start with a letter',
    ),
    fallback: () => ({}),
    defaultText: 'none',
    secret: 'values',
  }),
  functionReach: setting({
    env: 'HEARTH_FUNCTION_REACH',
    form: 'PORT,…',
    description:
      "Ports of this machine that functions may reach as host.docker.internal:PORT, also ports that listen on loopback only. The host's own port is not allowed.",
    schema: portList(),
    fallback: () => [],
    defaultText: 'none',
  }),
  ...FUNCTION_API_SETTINGS,
  idleTimeout: setting({
    env: 'HEARTH_IDLE_TIMEOUT',
    form: 'SECONDS',
    unit: 'seconds',
    description: 'How long Hearth keeps an idle execution environment for the next invoke.',
    schema: wholeNumber(1, 86_400),
    fallback: () => 600,
  }),
  maxEnvironments: setting({
    env: 'HEARTH_MAX_ENVIRONMENTS',
    form: 'NUMBER',
    unit: 'environments',
    description:
      'How many execution environments may exist at the same time. At the limit, Hearth first ends idle environments of other functions. Then invokes wait (waitForEnvironmentMs).',
    schema: wholeNumber(1, 100_000),
    fallback: (machine) => clamp((machine.memoryBytes * 0.75) / ENVIRONMENT_BYTES, 4, 2000),
    defaultText: "three quarters of the machine's memory divided by 128 MiB; at least 4, at most 2000",
  }),
  maxParallelStarts: setting({
    env: 'HEARTH_MAX_PARALLEL_STARTS',
    form: 'NUMBER',
    unit: 'starts',
    description: 'How many execution environments may start at the same time. Further starts wait.',
    schema: wholeNumber(1, 1000),
    fallback: (machine) => clamp(machine.processors * 2, 2, 32),
    defaultText: 'two for each processor; at least 2, at most 32',
  }),
  waitForEnvironmentMs: setting({
    env: 'HEARTH_WAIT_FOR_ENVIRONMENT_MS',
    form: 'MILLISECONDS',
    unit: 'milliseconds',
    description: 'How long an invoke waits when maxEnvironments is reached. Then it fails with EC2ThrottledException.',
    schema: wholeNumber(0, 900_000),
    fallback: () => 10_000,
  }),
  drainTimeout: setting({
    env: 'HEARTH_DRAIN_TIMEOUT',
    form: 'SECONDS',
    unit: 'seconds',
    description: 'How much time running invokes get to finish when the host stops. A second Ctrl-C stops at once.',
    schema: wholeNumber(0, 900),
    fallback: () => 30,
  }),
  runtimeImages: setting({
    env: 'HEARTH_RUNTIME_IMAGES',
    form: 'hearth|aws',
    description:
      "Where runtime images come from. hearth: built from the runtimes/ folder of this project. aws: AWS's base images, if they are on this machine or can be pulled.",
    schema: oneOf(['hearth', 'aws']),
    fallback: () => 'hearth' as const,
  }),
  runtimeImageMap: setting({
    env: 'HEARTH_RUNTIME_IMAGE_MAP',
    form: 'RUNTIME=IMAGE,…',
    description:
      "Your own image for a runtime. It replaces every other image of that runtime and must behave like AWS's base images.",
    schema: pairs(
      /^[a-z][a-z0-9.]*$/,
      /^\S{1,512}$/,
      'must be pairs of runtime and image, for example python3.13=registry.example/python:3.13',
    ),
    fallback: () => ({}),
    defaultText: 'none',
  }),
  runtimeSubstitute: setting({
    env: 'HEARTH_RUNTIME_SUBSTITUTE',
    form: 'off|nearest',
    description:
      'Whether a runtime without an image runs on the nearest version of its family. The log and `hearth runtimes` show when this happens.',
    schema: oneOf(['off', 'nearest']),
    fallback: () => 'off' as const,
  }),
  packagePermissions: setting({
    env: 'HEARTH_PACKAGE_PERMISSIONS',
    form: 'readable|exact',
    description:
      'Permissions of files from packages and layers. readable: functions may read all files. exact: files keep the permissions of the zip, so that reading a file that only its owner may read fails with "Permission denied", as on AWS.',
    schema: oneOf(['readable', 'exact']),
    fallback: () => 'readable' as const,
  }),
  logMaxBytes: setting({
    env: 'HEARTH_LOG_MAX_BYTES',
    form: 'SIZE',
    unit: 'bytes',
    description: 'How much log Hearth keeps for each log group. It removes the oldest lines first.',
    schema: bytes(1 * MIB),
    fallback: () => 64 * MIB,
    defaultText: '64M',
  }),
  queueMaxBytes: setting({
    env: 'HEARTH_QUEUE_MAX_BYTES',
    form: 'SIZE',
    unit: 'bytes',
    description:
      'How much disk space the queue of asynchronous events may use. When it is full, Hearth refuses Event invokes.',
    schema: bytes(1 * MIB),
    fallback: () => 1024 * MIB,
    defaultText: '1G',
  }),
  retryDelays: setting({
    env: 'HEARTH_RETRY_DELAYS',
    form: 'SECONDS,…',
    unit: 'seconds',
    description:
      'Delays before the second and the third attempt of an asynchronous event whose function failed. Shorter delays are useful for lessons and tests.',
    schema: numberList(0, 21_600, 2),
    fallback: () => [60, 120],
    defaultText: '`60,120`',
  }),
  retryBackoffMs: setting({
    env: 'HEARTH_RETRY_BACKOFF_MS',
    form: 'MILLISECONDS',
    unit: 'milliseconds',
    description:
      'First delay after a throttle or a failure of the platform. It applies to asynchronous events and to deliveries to their destinations. Each further delay is twice as long, at most 5 minutes.',
    schema: wholeNumber(1, 300_000),
    fallback: () => 1000,
  }),
  destinations: setting({
    env: 'HEARTH_DESTINATIONS',
    form: 'ARN=PLACE,…',
    description:
      'Where the events of a destination or dead-letter queue go: `folder:/path` (one file for each event) or an http(s) URL (a signed POST). For an ARN without an entry, Hearth calls the AWS service itself (docs/asynchronous.md).',
    schema: pairs(
      /^arn:aws[a-zA-Z0-9-]*:(sqs|sns|events|s3):[^\s=,]{1,300}$/,
      /^(folder:\/[^\0]{0,4000}|https?:\/\/[^\s]{1,2000})$/,
      'must be pairs of the ARN of a queue, topic, bus or bucket and folder:/path or a URL, for example arn:aws:sqs:us-east-1:000000000000:dead=folder:/var/hearth/dead',
    ),
    fallback: () => ({}),
    defaultText: 'none',
    secret: 'values',
  }),
  destinationSecret: setting({
    env: 'HEARTH_DESTINATION_SECRET',
    form: 'SECRET',
    description:
      'Key that signs the requests to the webhooks of `destinations` (X-Hearth-Signature, HMAC-SHA256). It is required if there is a webhook.',
    schema: matching(/^.{16,512}$/, 'must have 16 to 512 characters').optional(),
    fallback: () => undefined,
    defaultText: 'none',
    secret: 'values',
  }),
  subnetPool: setting({
    env: 'HEARTH_SUBNET_POOL',
    form: 'CIDR',
    description:
      'IPv4 addresses for the networks of execution environments. Choose another range if this one overlaps with a network that you use.',
    schema: matching(
      /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}\/([89]|1\d|2[0-2])$/,
      'must be an IPv4 network of /8 to /22, for example 10.213.0.0/16',
    ).optional(),
    fallback: () => undefined,
    defaultText: 'the first of 10.213.0.0/16, 172.29.0.0/16 and 192.168.192.0/18 with addresses that nothing else uses',
  }),
  fileSystems: setting({
    env: 'HEARTH_FILE_SYSTEMS',
    form: 'ARN=SOURCE,…',
    description:
      'What each EFS access point stands for on this machine: /folder, volume:NAME of the container engine, or nfs:HOST:/export (nfs:HOST:PORT:/export). Functions read and write as user 993, group 990.',
    schema: pairs(
      ACCESS_POINT,
      FILE_SYSTEM,
      'must be pairs of access point ARN and /folder, volume:NAME or nfs:HOST:/export, for example arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-00000000000000001=/srv/shared',
    ),
    fallback: () => ({}),
    defaultText: 'none',
  }),
  subnets: setting({
    env: 'HEARTH_SUBNETS',
    form: 'SUBNET=NETWORK,…',
    description:
      "Which network of the container engine each subnet of VpcConfig stands for. The function's environments join it in addition to their own network.",
    schema: pairs(
      SUBNET_ID,
      NETWORK,
      'must be pairs of subnet id and network of the engine, for example subnet-0a1b=database-network',
    ),
    fallback: () => ({}),
    defaultText: 'none',
  }),
  securityGroups: setting({
    env: 'HEARTH_SECURITY_GROUPS',
    form: 'GROUP=PORTS,…',
    description:
      'What each security group of VpcConfig stands for: the ports that functions may reach on the networks of their subnets (tcp:5432+udp:53+tcp:8000-8100); a further network to join (network:NAME); or a text, which the containers carry as the label hearth.security-group.GROUP. The last two allow every port.',
    schema: pairs(
      SECURITY_GROUP_ID,
      SECURITY_GROUP,
      'must be pairs of security group id and ports, network:NAME or a label, for example sg-0a1b=tcp:5432+udp:53',
    ),
    fallback: () => ({}),
    defaultText: 'none',
  }),
  maxNetworkAttachments: setting({
    env: 'HEARTH_MAX_NETWORK_ATTACHMENTS',
    form: 'NUMBER',
    description:
      'How many connections to the networks of subnets and security groups may exist at the same time. Invokes that need more fail with ENILimitReachedException.',
    schema: wholeNumber(0, 100_000),
    fallback: () => LIMITS.networkInterfaces,
  }),
  ...SIGNING_SETTINGS,
  logLevel: setting({
    env: 'HEARTH_LOG_LEVEL',
    form: 'LEVEL',
    description:
      "Level of the host's own log. It contains lines of this level and above: trace, debug, info, warn, error, fatal or silent.",
    schema: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    fallback: () => 'info' as const,
  }),
  logFormat: setting({
    env: 'HEARTH_LOG_FORMAT',
    form: 'text|json',
    description: "Format of the host's own log: text for people, json for programs.",
    schema: oneOf(['text', 'json']),
    fallback: () => 'text' as const,
  }),
} as const

export type { Machine } from './setting.ts'

export type SettingName = keyof typeof SETTINGS
export type Config = Readonly<z.output<z.ZodObject<{ [Name in SettingName]: (typeof SETTINGS)[Name]['schema'] }>>>

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[]

/** The flag of a setting, without dashes: `accountId` is `account-id`. */
export function flagOf(name: SettingName): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, Math.floor(value)))
}
