import { randomUUID } from 'node:crypto'
import Router from '@koa/router'
import Koa, { type Context, type Next } from 'koa'
import { DomainError } from '#domain/errors.ts'
import { beginHead, sendAnswer, setHead, usualHeaders } from './answer.ts'
import { apiRoutes, CONSOLE_PREFIX, consoleApiRoutes, PREFIX } from './api-routes.ts'
import { makeCors } from './cors.ts'
import { endOfTurn } from './end-of-turn.ts'
import { writeError } from './errors.ts'
import type { HttpContext, InTrace, OnAnswer } from './http-context.ts'
import { wantsPage } from './request-facts.ts'
import { knownMethod, TRACE_PARENT, traceRequest } from './request-span.ts'
import type { Route } from './route.ts'
import { linkedFile } from './routes/files.ts'
import { metadata } from './routes/meta.ts'
import { pageRoutes, writeMissingPage } from './routes/pages.ts'
import { probeRoutes } from './routes/probes.ts'
import { answerSeen, SEEN_PATH } from './routes/seen.ts'

/** The whole HTTP surface. Listening and closing are the caller's. */
export function createHttpApp(http: HttpContext): Koa {
  const app = new Koa()
  app.silent = true
  app.on('error', (error: Error & { code?: string }) => {
    // Koa reports every reader that hung up and every request that is no HTTP; those are no faults of ours.
    if (/^(?:ERR_STREAM_PREMATURE_CLOSE|ECONNRESET|EPIPE|HPE_\w+)$/.test(error.code ?? '')) return
    http.log.error('http', { error })
  })
  const routing: Routing = { router: new Router({ sensitive: true, strict: true }), exact: new Map() }
  for (const one of apiRoutes) mount(routing, PREFIX + one.path, one, http)
  for (const one of consoleApiRoutes) mount(routing, CONSOLE_PREFIX + one.path, one, http)
  for (const one of probeRoutes) mount(routing, one.path, one, http)
  // RFC 8414 §3.1 puts the well-known part before the issuer's path.
  mount(routing, `/.well-known/oauth-authorization-server${PREFIX}`, metadata, http)
  for (const { method, path, serve } of [...pageRoutes, linkedFile]) {
    routing.router[method](path, (ctx) => {
      ctx.state.route = path
      return serve(ctx, http)
    })
  }
  // Not in the router: it would tell by a 405 that there is something.
  routing.exact.set(SEEN_PATH, new Map([['GET', (ctx) => answerSeen(ctx, http)]]))

  const { onAnswer, inTrace, tracing } = http
  const usual = usualHeaders(http)
  if (onAnswer !== null) app.use((ctx, next) => report(ctx, next, onAnswer))
  if (tracing !== null) app.use((ctx, next) => traceRequest(ctx, next, tracing))
  if (inTrace !== null) app.use((ctx, next) => trace(ctx, next, inTrace))
  app.use(async (ctx, next) => {
    begin(ctx, usual)
    await rescue(ctx, next, http)
    await endOfTurn()
    sendAnswer(ctx)
  })
  app.use(makeCors(http.settings.corsOrigins, PREFIX))
  app.use((ctx, next) => routing.exact.get(ctx.path)?.get(ctx.method)?.(ctx) ?? next())
  app.use(routing.router.routes())
  app.use(async (ctx) => refuseUnrouted(ctx, routing.router))
  return app
}

/** Routes without a parameter are found by one look-up; the router, which tries all of its paths, knows every route. */
type Routing = { readonly router: Router; readonly exact: Map<string, Map<string, Handle>> }
type Handle = (ctx: Context) => Promise<void>

function mount(
  { router, exact }: Routing,
  path: string,
  { method, cacheable, headers, serve }: Route,
  http: HttpContext,
): void {
  const extra = Object.entries(headers)
  const handle = (ctx: Context) => {
    ctx.state.route = path
    if (!cacheable) setHead(ctx, 'Cache-Control', 'no-store')
    for (const [name, value] of extra) setHead(ctx, name, value)
    return serve(ctx, http)
  }
  router[method](path, handle)
  if (path.includes(':')) return
  const methods = exact.get(path) ?? new Map<string, Handle>()
  exact.set(path, methods.set(method.toUpperCase(), handle))
}

const REQUEST_ID = /^[\w.-]{1,128}$/

/** Tells of the answer once it is gone. What no route took counts as one route: paths are the caller's to choose. */
function report(ctx: Context, next: Next, onAnswer: OnAnswer): Promise<void> {
  const startedAtMs = performance.now()
  ctx.res.once('close', () => {
    const { route = 'unmatched' } = ctx.state
    onAnswer({
      method: knownMethod(ctx.method),
      route,
      status: ctx.res.statusCode,
      seconds: (performance.now() - startedAtMs) / 1000,
    })
  })
  return next()
}

/** W3C Trace Context §4.3: what is malformed is not passed on. */
function trace(ctx: Context, next: Next, inTrace: InTrace): Promise<void> {
  const { traceparent } = ctx.req.headers
  return typeof traceparent === 'string' && TRACE_PARENT.test(traceparent) ? inTrace(traceparent, next) : next()
}

function begin(ctx: Context, usual: readonly string[]): void {
  const requestId = requestIdOf(ctx)
  ctx.state.requestId = requestId
  beginHead(ctx, usual)
  setHead(ctx, 'X-Request-Id', requestId)
  if (ctx.path.startsWith(PREFIX) || ctx.path.startsWith(CONSOLE_PREFIX)) ctx.state.isApi = true
}

function requestIdOf(ctx: Context): string {
  const { 'x-request-id': given, traceparent } = ctx.req.headers
  if (typeof given === 'string' && REQUEST_ID.test(given)) return given
  return (typeof traceparent === 'string' ? TRACE_PARENT.exec(traceparent)?.[1] : undefined) ?? randomUUID()
}

/** The one place where anything thrown becomes an answer. */
async function rescue(ctx: Context, next: Next, http: HttpContext): Promise<void> {
  const { log } = http
  try {
    await next()
  } catch (error) {
    if (ctx.res.headersSent) throw error
    if (isSlipOfAPerson(ctx, error)) return writeMissingPage(ctx, http, error)
    writeError(ctx, error)
    if (ctx.state.isApi === true) setHead(ctx, 'Cache-Control', 'no-store')
    // A caller who hung up, and by that ended the run that was to answer, met no fault.
    if (error instanceof DomainError && (ctx.status < 500 || ctx.res.destroyed)) return
    // The check itself tells once what fails; the probes that hear of it are many.
    if (error instanceof DomainError && error.code === 'not_ready') return
    const { requestId } = ctx.state
    log.error('request failed', { requestId, method: ctx.method, route: ctx.state.route ?? ctx.path, error })
  }
}

/** Whether somebody opened an address that has no page. Programs, and whoever asks the API, hear of it in JSON. */
function isSlipOfAPerson(ctx: Context, error: unknown): error is DomainError {
  if (!(error instanceof DomainError) || !['not_found', 'method_not_allowed'].includes(error.code)) return false
  return ctx.state.isApi !== true && ['GET', 'HEAD'].includes(ctx.method) && wantsPage(ctx)
}

function refuseUnrouted(ctx: Context, router: Router): void {
  if (ctx.status !== 404 || ctx.body !== undefined) return
  const methods = new Set(router.match(ctx.path, ctx.method).path.flatMap((layer) => layer.methods))
  if (methods.size === 0) throw new DomainError('not_found', {})
  throw new DomainError('method_not_allowed', { allow: [...methods] })
}
