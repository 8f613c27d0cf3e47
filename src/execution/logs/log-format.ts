/** How a function's log is written, from its LoggingConfig. */
import { partitionOf } from '../../lambda/arn.ts'
import type { FunctionVersion } from '../../lambda/function.ts'
import type { InitializationType } from '../boot.ts'
import { runtimeLabel } from '../names.ts'
import type { Workloads } from '../workload.ts'
import { keepsLine } from './log-level.ts'
import { type PlatformLines, TextLines } from './platform-lines.ts'
import { JsonRecords } from './platform-records.ts'

export function platformLinesOf(
  version: FunctionVersion,
  workloads: Pick<Workloads, 'runtimeVersionHash'>,
  initialization: InitializationType,
): PlatformLines {
  const { name, region, runtime, logging } = version
  const options = {
    initialization,
    functionName: name,
    functionVersion: version.version,
    runtimeVersion: runtime === undefined ? undefined : runtimeLabel(version),
    runtimeVersionArn:
      runtime === undefined
        ? undefined
        : `arn:${partitionOf(region)}:lambda:${region}::runtime:${workloads.runtimeVersionHash(version)}`,
  }
  if (logging.logFormat === 'Text') return new TextLines(options)
  return new JsonRecords({ ...options, level: logging.systemLogLevel ?? 'INFO', clock: Date.now })
}

/** Whether a line of output is kept. */
export function outputFilterOf({ logging }: FunctionVersion): (line: string) => boolean {
  const least = logging.logFormat === 'JSON' ? (logging.applicationLogLevel ?? 'INFO') : undefined
  return least === undefined ? () => true : (line) => keepsLine(line, least)
}
