/** Every quota, named, with its unit and source. [D] developer guide, [M] service model, [V] recorded from AWS. */

const MIB = 1024 * 1024

export const LIMITS = {
  /** Bytes of a synchronous request payload. [V] "Request must be smaller than 6291456 bytes" */
  syncPayloadBytes: 6 * MIB,
  /** Bytes of an asynchronous request payload, since October 2025. [D] */
  asyncPayloadBytes: 1 * MIB,
  /** Bytes of the payload of InvokeAsync (2014 API), not raised with the others. [M] */
  invokeAsyncPayloadBytes: 256 * 1024,
  /** MaximumRetryAttempts. [M] */
  eventRetries: { min: 0, max: 2, default: 2 },
  /** MaximumEventAgeInSeconds. [M] */
  eventAgeS: { min: 60, max: 21_600, default: 21_600 },
  /** Bytes of a buffered response at the Runtime API: 6 MiB + 100. [V] */
  responsePayloadBytes: 6 * MIB + 100,
  /** Bytes of the base64 client context header. [D] */
  clientContextBytes: 3583,
  /** Bytes of the log tail in X-Amz-Log-Result before base64. [D] */
  logTailBytes: 4096,
  /** Milliseconds that Init may take before it is repeated within the invoke. [D] */
  initTimeoutMs: 10_000,
  /** Milliseconds that Init may take for provisioned concurrency, or the function's timeout where that is longer. [D] */
  provisionedInitTimeoutMs: 130_000,
  /** Synchronous requests per second for each unit of concurrency. [D] */
  requestRateFactor: 10,
  /** New on-demand environments of a function in `scalingPeriodMs`. [D] */
  scalingRate: 1000,
  scalingPeriodMs: 10_000,
  /** Bytes of a whole CreateFunction / UpdateFunctionCode request. [V] */
  createFunctionRequestBytes: 70_167_211,
  /** Bytes of an UpdateFunctionConfiguration request. [D] */
  updateConfigurationRequestBytes: 5120,
  /** Bytes of a zip uploaded through the API. [V] */
  zipBytes: 50 * MIB,
  /** Bytes of function and layers, unzipped. [V] */
  unzippedBytes: 250 * MIB,
  /** Bytes of a container image, all layers uncompressed. [D] */
  imageBytes: 10 * 1024 * MIB,
  /** Bytes of ImageConfig. [D] 16 KB */
  imageConfigBytes: 16 * 1024,
  /** Entries in one package; ours, AWS documents none: beyond it unpacking is a denial of service. */
  zipEntries: 200_000,
  /** Bytes of all environment variables as compact JSON. [V] */
  environmentBytes: 4096,
  /** Bytes of code of all versions and layers that an account may store. [D] 300 GB since 2026. AWS's 75 GB before were GiB. [V] */
  totalCodeBytes: 300 * 1024 * MIB,
  /** Concurrent executions of an account in a region. [D] */
  accountConcurrency: 1000,
  /** Concurrency that must stay unreserved. [D] */
  unreservedMinimum: 100,
  /** Layers of one function. [V] */
  layersPerFunction: 5,
  /** Bytes of a resource policy as JSON. [D] 20 KB */
  policyBytes: 20_480,
  /** Tags of a function or a code-signing configuration. [D] */
  tags: 50,
  /** Items of a page, whatever MaxItems says. [V] */
  pageItems: 50,
  /** The same of lists of code-signing configurations and their functions. [D] */
  codeSigningPageItems: 100,
  memoryMb: { min: 128, max: 10_240, default: 128 },
  timeoutS: { min: 1, max: 900, default: 3 },
  ephemeralStorageMb: { min: 512, max: 10_240, default: 512 },
  /** Open files, processes and threads of one environment. [D] */
  openFiles: 1024,
  processes: 1024,
  /** MemorySize in MB that buys one core. [D] */
  memoryMbPerCore: 1769,
  /** Elastic network interfaces of a VPC. [D] */
  networkInterfaces: 500,
  /** Headers and request line of one API request, bytes. [D] */
  requestHeaderBytes: 1 * MIB,
  /** Validity of GetFunction's Code.Location. [V] 10 minutes */
  codeLocationSeconds: 600,
} as const
