import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { onLoopback } from './loopback.ts'

type Value = { readonly stringValue?: string; readonly intValue?: number; readonly boolValue?: boolean }

/** A span as OTLP over HTTP brings it, its attributes by name. */
export type ReceivedSpan = {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly links?: readonly { readonly traceId: string }[]
  readonly attributes: readonly { readonly key: string; readonly value: Value }[]
}

type Body = {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: ReceivedSpan['attributes'] }
    readonly scopeSpans: readonly { readonly spans: readonly ReceivedSpan[] }[]
  }[]
}

/** A collector on loopback that keeps what it is sent. */
export async function anOtlpReceiver() {
  const spans: ReceivedSpan[] = []
  const bodies: string[] = []
  const headers: Record<string, unknown>[] = []
  const server = createServer(async (request, response) => {
    const body = await text(request)
    bodies.push(body)
    headers.push({ ...request.headers, path: request.url })
    const { resourceSpans } = JSON.parse(body) as Body // what the exporter of the protocol sends
    spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((one) => one.spans)))
    response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}')
  })
  const { url, close } = await onLoopback(server)
  return {
    url,
    spans,
    bodies,
    headers,
    close,
  }
}
