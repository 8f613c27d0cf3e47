/**
 * Spans through @opentelemetry/api, for whoever registers an SDK in the process (`node --import ./otel.mjs …`). Without one nothing is
 * made: every function here gives `undefined` at once. What an SDK throws is its own affair and reaches no invocation.
 */
import {
  type Attributes,
  type Context,
  context,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import type { FunctionVersion } from '../lambda/function.ts'

export type { Span } from '@opentelemetry/api'

const NAME = 'hearth'
/** What a proxy without an SDK delegates to. */
const NOTHING = new ProxyTracerProvider().getDelegate()

/** Whether anybody listens. */
function registered(): boolean {
  const provider = trace.getTracerProvider()
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegate() !== NOTHING
}

/** The span of one invocation, a child of the caller's where the trace header names one. */
export function invocationSpan(version: FunctionVersion, requestId: string, traceHeader: string): Span | undefined {
  if (!registered()) return undefined
  const attributes = { ...functionAttributes(version), 'faas.invocation_id': requestId }
  return startSpan(`invoke ${version.name}`, { kind: SpanKind.SERVER, attributes }, callerContext(traceHeader))
}

/** A part of an invocation, e.g. `queue wait` or `runtime`. */
export function childSpan(parent: Span | undefined, name: string): Span | undefined {
  if (parent === undefined) return undefined
  return startSpan(name, {}, trace.setSpan(context.active(), parent))
}

/** Around the start of an execution environment: no part of one invocation, because whichever comes first may use it. */
export async function withColdStartSpan(
  version: FunctionVersion,
  provisioned: boolean,
  start: () => Promise<void>,
): Promise<void> {
  if (!registered()) return start()
  const attributes = { ...functionAttributes(version), 'faas.coldstart': true, 'hearth.provisioned': provisioned }
  const span = startSpan(`cold start ${version.name}`, { attributes }, ROOT_CONTEXT)
  try {
    await start()
    endSpan(span)
  } catch (error) {
    endSpan(span, error)
    throw error
  }
}

export function endSpan(span: Span | undefined, failure?: unknown): void {
  if (span === undefined) return
  try {
    if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: String(failure) })
    span.end()
  } catch {}
}

function startSpan(name: string, options: SpanOptions, parent: Context): Span | undefined {
  try {
    return trace.getTracer(NAME).startSpan(name, options, parent)
  } catch {
    return undefined
  }
}

function functionAttributes(version: FunctionVersion): Attributes {
  return {
    'faas.name': version.name,
    'faas.version': version.version,
    'cloud.account.id': version.account,
    'cloud.region': version.region,
  }
}

function callerContext(header: string) {
  const root = /(?:^|;)\s*root=1-([0-9a-f]{8})-([0-9a-f]{24})/i.exec(header)
  const parent = /(?:^|;)\s*parent=([0-9a-f]{16})/i.exec(header)?.[1]
  if (root === null || parent === undefined) return ROOT_CONTEXT
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: `${root[1]}${root[2]}`.toLowerCase(),
    spanId: parent.toLowerCase(),
    traceFlags: /(?:^|;)\s*sampled=1/i.test(header) ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
  })
}
