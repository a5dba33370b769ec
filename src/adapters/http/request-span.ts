import type { Context, Next } from 'koa'
import type { HttpContext } from './http-context.ts'

/** W3C Trace Context §3.2: neither version ff nor an id of zeros. */
export const TRACE_PARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** A method, or one word for all that callers make up. */
export function knownMethod(method: string): string {
  return KNOWN_METHODS.has(method) ? method : 'other'
}

/** What orchestrators ask every other second would drown the rest. */
const UNTRACED = new Set(['/livez', '/readyz'])

/** Makes the answer to a request a span: its route's template, never its path, query or headers. */
export function traceRequest(
  ctx: Context,
  next: Next,
  { tracer, isTrusted }: NonNullable<HttpContext['tracing']>,
): Promise<void> {
  if (UNTRACED.has(ctx.path)) return next()
  const method = knownMethod(ctx.method)
  const traceparent = ctx.get('traceparent')
  const from = TRACE_PARENT.test(traceparent) ? { traceparent, isTrusted: isTrusted(ctx.req) } : undefined
  const span = tracer.begin(method, 'server', { 'http.request.method': method }, from)
  ctx.res.once('close', () => {
    const { route = 'unmatched' } = ctx.state
    const { statusCode } = ctx.res
    span.end({
      name: `${method} ${route}`,
      facts: { 'http.route': route, 'http.response.status_code': statusCode },
      fault: statusCode >= 500 ? String(statusCode) : undefined,
    })
  })
  return span.within(next)
}
