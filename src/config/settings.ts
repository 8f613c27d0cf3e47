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
      'Address that the Lambda API listens on. One that other machines reach needs allowAnonymous: signatures are not verified.',
    schema: matching(/^[0-9A-Za-z.:_-]{1,253}$/, 'must be a host name or an IP address'),
    fallback: () => '127.0.0.1',
  }),
  ...PORT_SETTINGS,
  data: setting({
    env: 'HEARTH_DATA',
    form: 'FOLDER',
    description:
      'Folder that holds everything the host must not forget: database, packages, keys, logs. A relative path starts at the current folder.',
    schema: matching(/^[^\0]{1,4000}$/, 'must be the path of a folder'),
    fallback: () => '.hearth',
    defaultText: '.hearth in the current folder',
  }),
  region: setting({
    env: 'HEARTH_REGION',
    form: 'REGION',
    description: 'Region of requests that are not signed; a signed request says its own.',
    // Any other would be in ARNs that the service model refuses.
    schema: matching(ONE_REGION, 'must be the name of a region of AWS, like us-east-1'),
    fallback: () => 'us-east-1',
  }),
  accountId: setting({
    env: 'HEARTH_ACCOUNT_ID',
    form: 'ACCOUNT',
    description: 'Account of requests whose access key says none.',
    schema: matching(/^\d{12}$/, 'must be twelve digits'),
    fallback: () => '000000000000',
  }),
  accessKeys: setting({
    env: 'HEARTH_ACCESS_KEYS',
    form: 'AKID=ACCOUNT,…',
    description:
      'Accounts of access key ids. A key id that ends in twelve digits needs no entry: those are its account.',
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
    description: 'Concurrent executions of each account in each region.',
    schema: wholeNumber(1, 100_000),
    fallback: () => LIMITS.accountConcurrency,
  }),
  unreservedMinimum: setting({
    env: 'HEARTH_UNRESERVED_MINIMUM',
    form: 'NUMBER',
    unit: 'executions',
    description: 'Concurrency that reservations must leave to the other functions of the account.',
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
      'Time for which a new function stays Pending, and an updated one InProgress, at least. AWS takes seconds: set some thousands to see whether a program waits for them.',
    schema: wholeNumber(0, 600_000),
    fallback: () => 0,
  }),
  codeStorageMaxBytes: setting({
    env: 'HEARTH_CODE_STORAGE_MAX_BYTES',
    form: 'SIZE',
    unit: 'bytes',
    description:
      'Code of all functions, versions and layers that each account may store in each region. Uploads beyond it are refused.',
    schema: bytes(1 * MIB),
    fallback: () => LIMITS.totalCodeBytes,
    defaultText: '300G',
  }),
  requestRateFactor: setting({
    env: 'HEARTH_REQUEST_RATE_FACTOR',
    form: 'NUMBER',
    unit: 'requests per second',
    description:
      'Synchronous requests per second for each unit of concurrency: of the account, of a reservation and of provisioned concurrency. 0 switches the limit off.',
    schema: wholeNumber(0, 100_000),
    fallback: () => LIMITS.requestRateFactor,
  }),
  scalingRate: setting({
    env: 'HEARTH_SCALING_RATE',
    form: 'NUMBER',
    unit: 'environments in 10 seconds',
    description:
      'New on-demand environments of one function in 10 seconds; invokes beyond it are throttled. 0 switches the limit off.',
    schema: wholeNumber(0, 100_000),
    fallback: () => LIMITS.scalingRate,
  }),
  functionEnv: setting({
    env: 'HEARTH_FUNCTION_ENV_*',
    form: 'NAME=VALUE,…',
    description:
      "Variables put into every function's environment. They win over the runtime's defaults (TZ, LANG …); the function's own win over them. One variable each: HEARTH_FUNCTION_ENV_NAME=value. The value is taken as it is, commas too.",
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
      "Ports of this machine that functions may reach as host.docker.internal:PORT, those bound to its loopback too. The host's own port is refused.",
    schema: portList(),
    fallback: () => [],
    defaultText: 'none',
  }),
  ...FUNCTION_API_SETTINGS,
  idleTimeout: setting({
    env: 'HEARTH_IDLE_TIMEOUT',
    form: 'SECONDS',
    unit: 'seconds',
    description: 'How long an idle execution environment is kept for the next invoke.',
    schema: wholeNumber(1, 86_400),
    fallback: () => 600,
  }),
  maxEnvironments: setting({
    env: 'HEARTH_MAX_ENVIRONMENTS',
    form: 'NUMBER',
    unit: 'environments',
    description:
      'Execution environments at one time. Beyond it idle ones of other functions are given up, then invokes wait (waitForEnvironmentMs).',
    schema: wholeNumber(1, 100_000),
    fallback: (machine) => clamp((machine.memoryBytes * 0.75) / ENVIRONMENT_BYTES, 4, 2000),
    defaultText: "three quarters of the machine's memory divided by 128 MiB; at least 4, at most 2000",
  }),
  maxParallelStarts: setting({
    env: 'HEARTH_MAX_PARALLEL_STARTS',
    form: 'NUMBER',
    unit: 'starts',
    description: 'Execution environments that are being started at one time; further ones queue.',
    schema: wholeNumber(1, 1000),
    fallback: (machine) => clamp(machine.processors * 2, 2, 32),
    defaultText: 'two for each processor; at least 2, at most 32',
  }),
  waitForEnvironmentMs: setting({
    env: 'HEARTH_WAIT_FOR_ENVIRONMENT_MS',
    form: 'MILLISECONDS',
    unit: 'milliseconds',
    description: 'How long an invoke waits beyond maxEnvironments before it is refused with EC2ThrottledException.',
    schema: wholeNumber(0, 900_000),
    fallback: () => 10_000,
  }),
  drainTimeout: setting({
    env: 'HEARTH_DRAIN_TIMEOUT',
    form: 'SECONDS',
    unit: 'seconds',
    description: 'How long running invokes may finish when the host stops. A second Ctrl-C stops at once.',
    schema: wholeNumber(0, 900),
    fallback: () => 30,
  }),
  runtimeImages: setting({
    env: 'HEARTH_RUNTIME_IMAGES',
    form: 'hearth|aws',
    description:
      "Where runtime images come from: built from this project's runtimes/ folder, or AWS's own base images where present or pullable.",
    schema: oneOf(['hearth', 'aws']),
    fallback: () => 'hearth' as const,
  }),
  runtimeImageMap: setting({
    env: 'HEARTH_RUNTIME_IMAGE_MAP',
    form: 'RUNTIME=IMAGE,…',
    description:
      "The operator's own image for a runtime; wins over everything else. It must follow the contract of AWS's base images.",
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
      'Whether a runtime without an image runs on the nearest version of its family; said in the log and in `hearth runtimes`.',
    schema: oneOf(['off', 'nearest']),
    fallback: () => 'off' as const,
  }),
  packagePermissions: setting({
    env: 'HEARTH_PACKAGE_PERMISSIONS',
    form: 'readable|exact',
    description:
      'Permissions of files from packages and layers. readable: functions may read them all. exact: as the zip gives them, so that what only its owner may read fails with "Permission denied", as on AWS.',
    schema: oneOf(['readable', 'exact']),
    fallback: () => 'readable' as const,
  }),
  logMaxBytes: setting({
    env: 'HEARTH_LOG_MAX_BYTES',
    form: 'SIZE',
    unit: 'bytes',
    description: 'Function logs kept for each log group; the oldest go first.',
    schema: bytes(1 * MIB),
    fallback: () => 64 * MIB,
    defaultText: '64M',
  }),
  queueMaxBytes: setting({
    env: 'HEARTH_QUEUE_MAX_BYTES',
    form: 'SIZE',
    unit: 'bytes',
    description: 'Payloads of accepted asynchronous events that wait on disk; beyond it Event invokes are refused.',
    schema: bytes(1 * MIB),
    fallback: () => 1024 * MIB,
    defaultText: '1G',
  }),
  retryDelays: setting({
    env: 'HEARTH_RETRY_DELAYS',
    form: 'SECONDS,…',
    unit: 'seconds',
    description:
      'Delays before the second and the third attempt of an asynchronous event whose function failed. Shorter ones are for lessons and tests.',
    schema: numberList(0, 21_600, 2),
    fallback: () => [60, 120],
    defaultText: '`60,120`',
  }),
  retryBackoffMs: setting({
    env: 'HEARTH_RETRY_BACKOFF_MS',
    form: 'MILLISECONDS',
    unit: 'milliseconds',
    description:
      'First delay after a throttle or a failure of the platform, for asynchronous events and for what is sent to their destinations; doubled each time, at most 5 minutes.',
    schema: wholeNumber(1, 300_000),
    fallback: () => 1000,
  }),
  destinations: setting({
    env: 'HEARTH_DESTINATIONS',
    form: 'ARN=PLACE,…',
    description:
      'Places of this installation for destinations and dead-letter queues: `folder:/path` (one file for each event) or an http(s) URL (POST, signed). Every other ARN goes to the service itself (docs/asynchronous.md).',
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
      'Key of the signature that webhooks of `destinations` get (X-Hearth-Signature, HMAC-SHA256). Needed as soon as there is a webhook.',
    schema: matching(/^.{16,512}$/, 'must have 16 to 512 characters').optional(),
    fallback: () => undefined,
    defaultText: 'none',
    secret: 'values',
  }),
  subnetPool: setting({
    env: 'HEARTH_SUBNET_POOL',
    form: 'CIDR',
    description:
      "IPv4 addresses for the networks of execution environments. Choose another pool where it collides with the site's own networks.",
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
      'What the access points of FileSystemConfigs are here: /folder, volume:NAME of the engine, or nfs:HOST:/export (nfs:HOST:PORT:/export). Functions read and write as 993:990.',
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
      "Which of the container engine's networks each subnet of VpcConfig is. Execution environments of the function join them besides their own.",
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
      "What each security group of VpcConfig is: the ports that functions may reach on their subnets' networks (tcp:5432+udp:53+tcp:8000-8100); network:NAME, one more network to join; or a text that becomes the value of the containers' label hearth.security-group.GROUP. The last two allow every port.",
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
      'Connections of execution environments to networks of subnets and security groups at the same time; beyond it invokes get ENILimitReachedException.',
    schema: wholeNumber(0, 100_000),
    fallback: () => LIMITS.networkInterfaces,
  }),
  ...SIGNING_SETTINGS,
  logLevel: setting({
    env: 'HEARTH_LOG_LEVEL',
    form: 'LEVEL',
    description: "Least severe lines of the host's own log: trace, debug, info, warn, error, fatal or silent.",
    schema: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    fallback: () => 'info' as const,
  }),
  logFormat: setting({
    env: 'HEARTH_LOG_FORMAT',
    form: 'text|json',
    description: "Form of the host's own log: text for people, json for machines.",
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
