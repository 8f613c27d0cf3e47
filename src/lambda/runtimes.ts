/**
 * Every runtime identifier that AWS knows, as data: `docs/runtimes.md` lists the same. Dates as AWS published them in autumn 2026; AWS
 * moves them often. After its block date CreateFunction (or an update) refuses an identifier; existing functions keep running.
 */

export type RuntimeFamily = 'nodejs' | 'python' | 'java' | 'dotnet' | 'ruby' | 'provided' | 'go'
export type RuntimeOs = 'AL1' | 'AL2' | 'AL2023'

export interface RuntimeRow {
  readonly family: RuntimeFamily
  /** Version of the language, e.g. `22`, `3.13`; for OS-only runtimes that of the OS. */
  readonly language: string
  readonly os: RuntimeOs
  /** Days (UTC, YYYY-MM-DD); absent: not scheduled. */
  readonly deprecation?: string
  readonly blockCreate?: string
  readonly blockUpdate?: string
  /** CreateFunction takes it until `blockCreate`. Recorded from AWS's own error text, 2025-11-25, plus what AWS announced since. */
  readonly creatable: boolean
}

type Dates = readonly [deprecation?: string, blockCreate?: string, blockUpdate?: string]

const row = (creatable: boolean, family: RuntimeFamily, language: string, os: RuntimeOs, dates: Dates): RuntimeRow => {
  const [deprecation, blockCreate, blockUpdate] = dates
  return { family, language, os, deprecation, blockCreate, blockUpdate, creatable }
}
const live = (family: RuntimeFamily, language: string, os: RuntimeOs, ...dates: Dates): RuntimeRow =>
  row(true, family, language, os, dates)
const gone = (family: RuntimeFamily, language: string, os: RuntimeOs, ...dates: Dates): RuntimeRow =>
  row(false, family, language, os, dates)

export const RUNTIMES: Readonly<Record<string, RuntimeRow>> = {
  'nodejs26.x': live('nodejs', '26', 'AL2023'),
  'nodejs24.x': live('nodejs', '24', 'AL2023', '2028-04-30', '2028-06-01', '2028-07-01'),
  'nodejs22.x': live('nodejs', '22', 'AL2023', '2027-04-30', '2027-06-01', '2027-07-01'),
  'nodejs20.x': live('nodejs', '20', 'AL2023', '2026-04-30', '2027-02-01', '2027-03-03'),
  'nodejs18.x': live('nodejs', '18', 'AL2', '2025-09-01', '2027-02-01', '2027-03-03'),
  'nodejs16.x': live('nodejs', '16', 'AL2', '2024-06-12', '2027-02-01', '2027-03-03'),
  'nodejs14.x': gone('nodejs', '14', 'AL2', '2023-12-04', '2024-01-09', '2027-03-03'),
  'nodejs12.x': gone('nodejs', '12', 'AL2', '2023-03-31', '2023-03-31', '2023-04-30'),
  'nodejs10.x': gone('nodejs', '10', 'AL2', '2021-07-30', undefined, '2022-02-14'),
  'nodejs8.10': gone('nodejs', '8.10', 'AL1', '2020-03-06', '2020-02-04', '2020-03-06'),
  'nodejs6.10': gone('nodejs', '6.10', 'AL1', '2019-08-12', '2019-07-12', '2019-08-12'),
  'nodejs4.3': gone('nodejs', '4.3', 'AL1', '2020-03-05'),
  'nodejs4.3-edge': gone('nodejs', '4.3', 'AL1', '2020-03-05'),
  nodejs: gone('nodejs', '0.10', 'AL1', '2016-08-30', '2016-09-30', '2016-10-31'),

  'python3.15': live('python', '3.15', 'AL2023'),
  'python3.14': live('python', '3.14', 'AL2023', '2029-06-30', '2029-07-31', '2029-08-31'),
  'python3.13': live('python', '3.13', 'AL2023', '2029-06-30', '2029-07-31', '2029-08-31'),
  'python3.12': live('python', '3.12', 'AL2023', '2028-10-31', '2028-11-30', '2029-01-10'),
  'python3.11': live('python', '3.11', 'AL2', '2027-06-30', '2027-07-31', '2027-08-31'),
  'python3.10': live('python', '3.10', 'AL2', '2026-10-31', '2027-02-01', '2027-03-03'),
  'python3.9': live('python', '3.9', 'AL2', '2025-12-15', '2027-02-01', '2027-03-03'),
  'python3.8': live('python', '3.8', 'AL2', '2024-10-14', '2027-02-01', '2027-03-03'),
  'python3.7': gone('python', '3.7', 'AL1', '2023-12-04', '2024-01-09', '2027-03-03'),
  'python3.6': gone('python', '3.6', 'AL1', '2022-07-18', undefined, '2022-08-29'),
  'python2.7': gone('python', '2.7', 'AL1', '2021-07-15', undefined, '2022-05-30'),

  java25: live('java', '25', 'AL2023', '2029-06-30', '2029-07-31', '2029-08-31'),
  java21: live('java', '21', 'AL2023', '2029-06-30', '2029-07-31', '2029-08-31'),
  java17: live('java', '17', 'AL2', '2027-06-30', '2027-07-31', '2027-08-31'),
  java11: live('java', '11', 'AL2', '2027-06-30', '2027-07-31', '2027-08-31'),
  'java8.al2': live('java', '8', 'AL2', '2027-06-30', '2027-07-31', '2027-08-31'),
  'java17.al2023': live('java', '17', 'AL2023'),
  'java11.al2023': live('java', '11', 'AL2023'),
  'java8.al2023': live('java', '8', 'AL2023'),
  java8: gone('java', '8', 'AL1', '2024-01-08', '2024-02-08', '2027-03-03'),

  dotnet10: live('dotnet', '10', 'AL2023', '2028-11-14', '2028-12-14', '2029-01-15'),
  dotnet8: live('dotnet', '8', 'AL2023', '2026-11-10', '2027-02-01', '2027-03-03'),
  dotnet6: live('dotnet', '6', 'AL2', '2024-12-20', '2027-02-01', '2027-03-03'),
  'dotnetcore3.1': gone('dotnet', '3.1', 'AL2', '2023-04-03', '2023-04-03', '2023-05-03'),
  'dotnetcore2.1': gone('dotnet', '2.1', 'AL1', '2022-01-05', undefined, '2022-04-13'),
  'dotnetcore2.0': gone('dotnet', '2.0', 'AL1', '2019-05-30'),
  'dotnetcore1.0': gone('dotnet', '1.0', 'AL1', '2019-06-27'),

  'ruby4.0': live('ruby', '4.0', 'AL2023', '2029-03-31', '2029-04-30', '2029-05-31'),
  'ruby3.4': live('ruby', '3.4', 'AL2023', '2028-03-31', '2028-04-30', '2028-05-31'),
  'ruby3.3': live('ruby', '3.3', 'AL2023', '2027-03-31', '2027-04-30', '2027-05-31'),
  'ruby3.2': live('ruby', '3.2', 'AL2', '2026-03-31', '2027-02-01', '2027-03-03'),
  'ruby2.7': gone('ruby', '2.7', 'AL2', '2023-12-07', '2024-01-09', '2027-03-03'),
  'ruby2.5': gone('ruby', '2.5', 'AL1', '2021-07-30', undefined, '2022-03-31'),

  'go1.x': gone('go', '1', 'AL1', '2024-01-08', '2024-02-08', '2027-03-03'),

  'provided.al2023': live('provided', 'al2023', 'AL2023', '2029-06-30', '2029-07-31', '2029-08-31'),
  'provided.al2': live('provided', 'al2', 'AL2', '2026-07-31', '2027-02-01', '2027-03-03'),
  provided: gone('provided', 'al1', 'AL1', '2024-01-08', '2024-02-08', '2027-03-03'),
}

/** Where a function of an OS-only runtime may have its bootstrap, in the order in which AWS looks; `undefined`: the runtime brings its own. */
export function bootstrapsOf(runtime: string): readonly string[] | undefined {
  return runtime.startsWith('provided') ? ['/var/task/bootstrap', '/opt/bootstrap'] : undefined
}

export function isKnownRuntime(runtime: string): boolean {
  return Object.hasOwn(RUNTIMES, runtime)
}

/** Identifiers that CreateFunction takes, dates aside, in the order of the table. */
export function creatableRuntimes(): string[] {
  return Object.keys(RUNTIMES).filter((runtime) => RUNTIMES[runtime]?.creatable)
}

/** CreateFunction refuses it at this time (milliseconds since 1970); true for identifiers that are not known. */
export function blockedForCreate(runtime: string, nowMs: number): boolean {
  const known = isKnownRuntime(runtime) ? RUNTIMES[runtime] : undefined
  if (!known?.creatable) return true
  return known.blockCreate !== undefined && nowMs >= Date.parse(known.blockCreate)
}

/** Folders of shared libraries; a function's and its layers' come last. */
const LIBRARIES = '/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib'
const PROGRAMS = '/usr/local/bin:/usr/bin/:/bin:/opt/bin'

function languageEnvironment(runtime: string, { family, language }: RuntimeRow): Record<string, string> {
  switch (family) {
    case 'nodejs': {
      const layers = `/opt/nodejs/node${language}/node_modules:/opt/nodejs/node_modules`
      return { NODE_PATH: `${layers}:/var/runtime/node_modules:/var/runtime:/var/task` }
    }
    case 'python': {
      const common = { PYTHONPATH: '/var/runtime', PWD: '/var/task', SHLVL: '0' }
      return Number(language.split('.')[1]) >= 12 ? { ...common, LC_CTYPE: 'C.UTF-8' } : common
    }
    case 'ruby': {
      const abi = `${language}.0`
      return {
        GEM_HOME: '/var/runtime',
        GEM_PATH: `/var/task/vendor/bundle/ruby/${abi}:/opt/ruby/gems/${abi}:/var/runtime:/var/runtime/ruby/${abi}`,
        RUBYLIB: '/var/task:/var/runtime/lib:/opt/ruby/lib',
      }
    }
    case 'dotnet':
      return { DOTNET_ROOT: '/var/lang/bin', LAMBDA_RUNTIME_NAME: runtime }
    default:
      return {}
  }
}

/**
 * Variables that belong to the runtime and not to the function: what AWS's environments were recorded with, January 2026. A function may
 * override those that are not reserved. Unknown identifiers get what OS-only runtimes have.
 */
export function runtimeEnvironment(runtime: string): Record<string, string> {
  const known = isKnownRuntime(runtime) ? RUNTIMES[runtime] : undefined
  const withLanguage = runtime !== 'provided.al2' && runtime !== 'provided'
  return {
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    PATH: withLanguage ? `/var/lang/bin:${PROGRAMS}` : PROGRAMS,
    LD_LIBRARY_PATH: withLanguage ? `/var/lang/lib:${LIBRARIES}` : LIBRARIES,
    LAMBDA_TASK_ROOT: '/var/task',
    LAMBDA_RUNTIME_DIR: '/var/runtime',
    ...(known && known.family !== 'provided' ? { AWS_EXECUTION_ENV: `AWS_Lambda_${runtime}` } : {}),
    ...(known ? languageEnvironment(runtime, known) : {}),
  }
}
