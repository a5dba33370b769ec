import type { Tracer } from '#application/ports/tracer.ts'
import type { Environment, Reader } from './config-reader.ts'

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
]

/** What the standard variables of OpenTelemetry say; where to send and with which headers, its exporter reads itself. */
export type TracingConfig = { readonly serviceName: string; readonly sampler: string; readonly ratio: number }

/** The more exact one first: of two that are set, it counts. */
const PROTOCOLS = ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'] as const

/** Null unless an endpoint is set. */
export function readTracing(
  read: Reader,
  env: Environment,
  fault: (name: string, wanted: string) => void,
  warn: (warning: string) => void,
): TracingConfig | null {
  const endpoints = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'].map((name) =>
    read.url(name, ['http:', 'https:']),
  )
  const sampler = read.oneOf('OTEL_TRACES_SAMPLER', SAMPLERS, 'parentbased_always_on')
  const ratio = Number(env.OTEL_TRACES_SAMPLER_ARG || 1)
  if (!(ratio >= 0 && ratio <= 1)) fault('OTEL_TRACES_SAMPLER_ARG', 'a number from 0 to 1')
  if (endpoints.every((one) => one === null)) return null
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || env.OTEL_TRACES_EXPORTER === 'none') return null
  // Often set for all services of a machine at once: no reason not to start.
  const asked = PROTOCOLS.find((name) => env[name])
  if (asked !== undefined && env[asked] !== 'http/json') {
    warn(`${asked} is not http/json; spans are sent as http/json all the same, which the collector has to take`)
  }
  return { serviceName: env.OTEL_SERVICE_NAME || 'latchkey', sampler, ratio }
}

/** Where spans go. */
export type Tracing = {
  readonly tracer: Tracer
  /** The id of the trace that is under way here; null outside of any. */
  traceId(): string | null
  /** Sends what is left. */
  close(): Promise<void>
}

/** Loads what sends spans only for an installation that wants them: others pay nothing for it. */
export async function openTracing(config: TracingConfig | null, version: string): Promise<Tracing | null> {
  if (config === null) return null
  const { openOtlpTracer } = await import('#adapters/telemetry/otlp-tracer.ts')
  return openOtlpTracer({ ...config, version })
}

/** The same way out, which tells whom it asks of the trace. For servers that the operator or a workspace chose. */
export function withTraceparent(tracer: Tracer, fetcher: typeof fetch): typeof fetch {
  return (input, init) => {
    const traceparent = tracer.traceparent()
    if (traceparent === null) return fetcher(input, init)
    const headers = new Headers(init?.headers)
    headers.set('traceparent', traceparent)
    return fetcher(input, { ...init, headers })
  }
}
