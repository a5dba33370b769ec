import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type Link,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { detectResources, resourceAttributesEnvDetector, resourceFromAttributes } from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { RemoteParent, Span, Tracer } from '#application/ports/tracer.ts'

export type TracingSettings = {
  readonly serviceName: string
  readonly version: string
  /** A name of `OTEL_TRACES_SAMPLER`. */
  readonly sampler: string
  /** The share of traces kept, 0 to 1, by the samplers that keep a share. */
  readonly ratio: number
}

const KINDS = { server: SpanKind.SERVER, internal: SpanKind.INTERNAL, client: SpanKind.CLIENT }
/** A fact longer than this is no name of ours. */
const MAX_FACT = 200

const NOTHING: Span = { within: (work) => work(), end: () => {} }

/**
 * Sends spans in batches, as OTLP over HTTP, to where the standard variables say. What cannot be sent is dropped.
 * `close` sends what is left.
 */
export function openOtlpTracer(settings: TracingSettings): {
  readonly tracer: Tracer
  traceId(): string | null
  close(): Promise<void>
} {
  const resource = resourceFromAttributes({
    'service.name': settings.serviceName,
    'service.version': settings.version,
  }).merge(detectResources({ detectors: [resourceAttributesEnvDetector] }))
  const provider = new TracerProvider({
    resource,
    sampler: samplerOf(settings),
    spanLimits: { attributeValueLengthLimit: MAX_FACT, linkCountLimit: 1 },
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  })
  const otel = provider.getTracer('latchkey', settings.version)
  const active = new AsyncLocalStorage<OtelSpan>()

  const tracer: Tracer = {
    begin(name, kind, facts = {}, from) {
      const parent = active.getStore()
      if (parent === undefined && kind !== 'server') return NOTHING
      const remote = from === undefined ? undefined : contextOf(from)
      const origin = originOf(parent, remote, from?.isTrusted === true)
      const links: Link[] = remote !== undefined && from?.isTrusted === false ? [{ context: remote }] : []
      return spanOf(otel.startSpan(name, { kind: KINDS[kind], attributes: { ...facts }, links }, origin), active)
    },
    traceparent() {
      const span = active.getStore()?.spanContext()
      if (span === undefined) return null
      return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`
    },
  }
  return {
    tracer,
    traceId: () => active.getStore()?.spanContext().traceId ?? null,
    close: () => provider.shutdown(),
  }
}

function spanOf(span: OtelSpan, active: AsyncLocalStorage<OtelSpan>): Span {
  let isOver = false
  return {
    within: (work) => active.run(span, work),
    end({ fault, name, facts } = {}) {
      if (isOver) return
      isOver = true
      if (name !== undefined) span.updateName(name)
      if (facts !== undefined) span.setAttributes({ ...facts })
      if (fault !== undefined) span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', fault)
      span.end()
    },
  }
}

function originOf(parent: OtelSpan | undefined, remote: SpanContext | undefined, isTrusted: boolean) {
  if (parent !== undefined) return trace.setSpan(ROOT_CONTEXT, parent)
  return remote !== undefined && isTrusted ? trace.setSpanContext(ROOT_CONTEXT, remote) : ROOT_CONTEXT
}

/** The caller of a server's span has checked the form (W3C Trace Context §3.2). */
function contextOf({ traceparent }: RemoteParent): SpanContext {
  const [, traceId = '', spanId = '', flags = '00'] = traceparent.split('-')
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true }
}

function samplerOf({ sampler, ratio }: TracingSettings): Sampler {
  const root = rootSamplerOf(sampler.replace('parentbased_', ''), ratio)
  return sampler.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root
}

function rootSamplerOf(name: string, ratio: number): Sampler {
  if (name === 'always_off') return new AlwaysOffSampler()
  return name === 'traceidratio' ? new TraceIdRatioBasedSampler(ratio) : new AlwaysOnSampler()
}
