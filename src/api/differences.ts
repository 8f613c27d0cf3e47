/**
 * What is known to differ from AWS Lambda besides operations that are not there: kept by hand, a section for each subject, as Markdown.
 * A difference that is not here is a bug.
 */
export interface Differences {
  readonly title: string
  readonly text: string
}

export const DIFFERENCES: readonly Differences[] = [
  {
    title: 'The API',
    text: `- Hearth does not verify signatures. A request's region comes from its credential scope, its account from its access key (\`HEARTH_ACCESS_KEYS\`, or
  twelve digits at the end of the key id), otherwise from \`HEARTH_REGION\` and \`HEARTH_ACCOUNT_ID\`.
- Functions are created from \`ZipFile\`, from S3 objects and from container images. Operations that are not implemented yet answer with an error that names them: 404
  UnknownOperationException. Hearth checks the request against AWS's service model first.
- [Layers](layers.md) are published from \`ZipFile\` or from S3 objects. A function may have layers of other accounts of the same host, if their policy grants it; AWS's own layers do not exist here.
  All layers of a function together have at most 200,000 files.
- Resource policies: a caller is known by its account alone; services of this host call with their name, and with \`AWS:SourceArn\` and
  \`AWS:SourceAccount\`. There are no users, roles or organizations, so a statement that names a role, or has a condition that the host cannot judge
  (\`aws:PrincipalOrgID\`, \`aws:SourceVpc\` …), is kept and shown but does not allow any call. The account that owns a function may always call it.
  PutResourcePolicy refuses what Hearth cannot apply: \`Deny\`, \`NotPrincipal\`, \`NotAction\`, \`NotResource\`, unknown condition operators.
- Hearth never sends PublicPolicyException: this version of the service model has no way to block public access, so every policy may grant access to everybody.
- The operations of 2014 (paths \`/2014-11-13/…\`) are refused, and the error names the current operation. InvokeAsync works.
- Deleting an alias or a version deletes its policy: a new alias of the same name starts without grants.
- Hearth finds S3 as AWS's clients do: through \`AWS_ENDPOINT_URL_S3\` (or \`AWS_ENDPOINT_URL\`), \`AWS_REGION\`, \`AWS_PROFILE\` and the other variables in the host's environment.
- Images come from the container engine of this machine or from registries, with the logins of the operator's Docker configuration; \`ResolvedImageUri\` of an image that was
  built here ends in its id. An image in the engine wins over its registry. \`USER\` is ignored, \`VOLUME\`s are read-only, and an image with device files
  outside of \`/dev\` is refused. See [ADR 14](adr/0014-images-and-code-from-elsewhere.md).
- \`RuntimeVersionArn\` ends in the digest of the runtime's image. \`Manual\` accepts the ARNs that this host returned, as long as the engine has the image.
- With \`LogFormat\` JSON the text of a failure is a record of type \`platform.fault\`; AWS sends that one to subscribers of the Logs API only.
- Operations on another account's functions that no policy grants are refused with a sentence that says who may not do what. AWS answers with
  an empty text, which tells a reader nothing; no client reads the text.
- No error repeats what AWS's service model calls sensitive, such as environment variables. AWS repeats them where they exceed 4 KB. One
  exception is AWS's own text for a payload of Invoke that begins with a word: it shows the word. Hearth describes other errors of a payload in plain words.
- The lists of runtimes in "Member must satisfy enum value set" are the service model's or Hearth's own; AWS's change by the month and have no order.
- \`Architectures\` defaults to the architecture of the container engine, not to x86_64.
- A request with several violations names them in an order of its own: values, what is missing, the name of the resource. AWS's order is not known.
- \`KMSKeyArn\`, \`VpcConfig\` and \`FileSystemConfigs\` name keys, networks and file systems of the machine room: [machine-room.md](machine-room.md). Without
  \`SourceKMSKeyArn\`, \`KMSKeyArn\` encrypts the next package that is uploaded, too; a function with a VpcConfig keeps its way out beside it; FileSystemConfigs needs no VpcConfig.
- [Code signing](code-signing.md): AWS Signer's signatures are not documented; packages are signed like JAR files, by \`hearth sign\` or \`jarsigner\`. Signing
  profiles are certificates that the operator names; a configuration may allow others, which nobody here can sign for. Functions show their signer
  if they were verified, layers whenever their signature is trusted.
- An event that was accepted (202) runs at least once; a crash of the host during its execution runs it again. What follows from its end, and what
  AWS leaves open there: [Asynchronous invocation](asynchronous.md), [ADR 11](adr/0011-asynchronous-events.md).
- A function as destination must be in the same account and region. The host's own credentials send to queues, topics, buses and buckets; the
  permissions of execution roles are not checked.
- Recursion detection follows direct invokes, function destinations, and messages whose trace is handed back to Invoke; there are no event source mappings
  yet that would do so.
- The code of an account is counted as it was uploaded, in zips; AWS counts it unzipped since 2026. \`HEARTH_CODE_STORAGE_MAX_BYTES\` sets the limit.
- Limits are AWS's (\`src/lambda/limits.ts\`), except: accounts have \`HEARTH_ACCOUNT_CONCURRENCY\` concurrent executions; the machine bounds
  environments with \`HEARTH_MAX_ENVIRONMENTS\`, beyond which an invoke waits \`HEARTH_WAIT_FOR_ENVIRONMENT_MS\` and is then refused with \`EC2ThrottledException\`. Requests from outside
  to the control plane have no limit per second (\`CallerRateLimitExceeded\` is sent to functions alone, beyond \`HEARTH_FUNCTION_API_RATE\`), nor has the allocation of provisioned concurrency. RLIMIT_NPROC is
  not set: the kernel counts it over all containers (measured with AWS's 742: beside a container with 500 threads a second one gets 216).`,
  },
  {
    title: 'What Hearth does not have',
    text: `Not planned:

- code that stays in the bucket of its owner (\`S3ObjectStorageMode\` REFERENCE): Hearth keeps a copy of every package
- S3 Files, and IPv6 in VpcConfig (dual-stack)
- accelerators (\`AcceleratorConfig\`)
- Lambda@Edge, with its replicas and \`MasterRegion\`
- network connectors
- MicroVMs

Not built yet:

- external extensions: a program in \`/opt/extensions\` is not started, and a warning in the log of the host names it. There is no Telemetry API, and no extension gets a SHUTDOWN event.
- the freeze between invocations: what a function leaves running keeps running after its answer
- \`TenancyConfig\`, \`DurableConfig\` and SnapStart are refused
- the X-Ray daemon: \`AWS_XRAY_DAEMON_ADDRESS\` names AWS's address, and what SDKs send there is lost

Kept without effect:

- Functions never become \`Inactive\`, however long nobody calls them.
- \`EventSourceToken\` of AddPermission is kept and shown, and compared with nothing.`,
  },
  {
    title: 'Runtimes',
    text: `| runtime | base | client | differs from AWS |
| --- | --- | --- | --- |
| nodejs20.x, nodejs22.x | Debian 12, Node.js from npm | aws-lambda-ric 3.3.0 | Debian's libraries instead of Amazon Linux's |
| nodejs24.x | Debian 12, Node.js from npm | aws-lambda-ric 4.0.2 | same |
| python3.11 | Debian 12 | awslambdaric 4.2.2 | same |
| python3.13 | Debian 13 | awslambdaric 4.2.2 | same |
| python3.14 | Debian sid | awslambdaric 4.2.2 | same |
| provided.al2023, provided.al2 | Debian 12 | the function's own | one image serves both; glibc 2.36 |

With \`HEARTH_RUNTIME_IMAGES=aws\` AWS's own base images are used where they are present or can be pulled; \`HEARTH_RUNTIME_IMAGE_MAP\` names any other.
CreateFunction refuses a runtime without an image. Its error lists the available runtimes and says how to get others. \`HEARTH_RUNTIME_SUBSTITUTE=nearest\` runs it on the
nearest version of its family instead; \`hearth runtimes\` shows that.

Functions from images have a \`HOME\` that the container engine sets where their image has none; AWS sets none.
Node.js's client writes the newlines of a log record as carriage returns, which are newlines again in the log. Hearth treats a record whose line breaks all come in pairs as text with CRLF
line ends, so a text whose only breaks are blank lines loses those.`,
  },
  {
    title: 'The machine',
    text: `| | with root on Linux | elsewhere |
| --- | --- | --- |
| \`/tmp\` | ext4 of EphemeralStorage size on disk | tmpfs of that size; its pages count against MemorySize |
| isolation of the network | rules set by the host | rules set by a short-lived helper container; where that fails too, the start says what is not isolated |

The machine's architecture is the functions' architecture: an x86-64 host refuses \`arm64\` functions, naming the reason, and the other way round.
CPU is shared by MemorySize (1,769 MB is one core), in full during Init, as on AWS.`,
  },
  {
    title: 'Isolation',
    text: `The setting \`HEARTH_FUNCTION_API\` decides what the code of a function can call on this host ([ADR 21](adr/0021-sandbox-door.md)). The code always calls as its function's own role, account and
region; calls beyond \`HEARTH_FUNCTION_API_RATE\` get \`TooManyRequestsException\`. The operator's pages and code downloads do not exist inside, in any mode.

- \`invoke\`, the default: Invoke, InvokeAsync and sts:GetCallerIdentity. Execution roles have no policies here: a function may invoke every function of its account and region, and those of other accounts
  whose resource policy grants it.
- **\`all\` lets every function read, change and delete every other function of its account and region, with its decrypted environment variables and its log settings.** Use it only where all functions of
  an account trust each other. Only invocations cross accounts. Requests that make the host act with its operator's credentials or connections are refused even then: code from S3, container images, destinations and dead-letter queues other than functions,
  VpcConfig, FileSystemConfigs.
- \`off\`: nothing but the Runtime, Extensions and Telemetry APIs.

Inside, \`AWS_ENDPOINT_URL_LAMBDA\` and \`AWS_ENDPOINT_URL_STS\` are set (not with \`off\`), which AWS does not do: SDKs find an endpoint in no other way, and without it their calls would go to AWS. A function that sets one of them itself
keeps its own. Each environment has an access key of its own that ends in its account; this host alone accepts it, and only while the environment exists.

Each execution environment is a container of its own with its own user, a read-only root, no capabilities, no-new-privileges, the default seccomp profile, and limits for
memory, CPU, processes and open files. It reaches its own Runtime API listener, the outside as the machine does, and those ports of the host that
\`HEARTH_FUNCTION_REACH\` names; not other environments, other listeners, other ports of the host, or the engine.
A function with a VpcConfig also reaches the containers on those networks, as its security groups allow: [machine-room.md](machine-room.md#vpcconfig-networks).
Containers share the machine's kernel: run functions of people who do not trust each other on separate machines.`,
  },
]
