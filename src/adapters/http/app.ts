import { randomUUID } from 'node:crypto'
import cors from '@koa/cors'
import Router from '@koa/router'
import Koa, { type Context, type Next } from 'koa'
import { DomainError } from '#domain/errors.ts'
import { beginHead, sendAnswer, setHead, usualHeaders } from './answer.ts'
import { endOfTurn } from './end-of-turn.ts'
import { writeError } from './errors.ts'
import type { HttpContext, InTrace, OnAnswer } from './http-context.ts'
import { openApiDocument } from './openapi.ts'
import { knownMethod, TRACE_PARENT, traceRequest } from './request-span.ts'
import type { Route } from './route.ts'
import { accountRoutes } from './routes/account.ts'
import { appFileRoutes } from './routes/app-files.ts'
import { appRoutes } from './routes/apps.ts'
import { bindingRoutes } from './routes/bindings.ts'
import { consoleRoutes } from './routes/console.ts'
import { consoleAccessRoutes } from './routes/console-access.ts'
import { consoleAppRoutes } from './routes/console-apps.ts'
import { deviceRoutes } from './routes/device.ts'
import { deviceSsoRoutes } from './routes/device-sso.ts'
import { fileRoutes, linkedFile } from './routes/files.ts'
import { humanInputRoutes } from './routes/human-input.ts'
import { consoleImportRoutes, importRoutes } from './routes/imports.ts'
import { memberRoutes } from './routes/members.ts'
import { metadata, metaRoutes } from './routes/meta.ts'
import { oauthRoutes } from './routes/oauth.ts'
import { pageRoutes } from './routes/pages.ts'
import { probeRoutes } from './routes/probes.ts'
import { runRoutes } from './routes/run.ts'
import { answerSeen, SEEN_PATH } from './routes/seen.ts'
import { taskRoutes } from './routes/tasks.ts'
import { workspaceRoutes } from './routes/workspaces.ts'

export const PREFIX = '/openapi/v1'
const CONSOLE_PREFIX = '/console/api'

/** Built when first asked for, and once: it takes far longer than to send it. */
let document: unknown

/** Routes under the public prefix; the OpenAPI document lists exactly these. */
export const apiRoutes: readonly Route[] = [
  ...metaRoutes(() => {
    document ??= openApiDocument(apiRoutes, probeRoutes)
    return document
  }),
  ...deviceRoutes,
  ...deviceSsoRoutes,
  ...oauthRoutes,
  ...accountRoutes,
  ...workspaceRoutes,
  ...memberRoutes,
  ...importRoutes,
  ...appRoutes,
  ...appFileRoutes,
  ...runRoutes,
  ...fileRoutes,
  ...humanInputRoutes,
  ...taskRoutes,
]

/** What signed-in browsers and provisioning scripts call; not part of the document. */
export const consoleApiRoutes: readonly Route[] = [
  ...consoleRoutes,
  ...consoleAppRoutes,
  ...consoleImportRoutes,
  ...consoleAccessRoutes,
  ...bindingRoutes,
]

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
  app.use(preflight(http.settings.corsOrigins))
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
async function rescue(ctx: Context, next: Next, { log }: HttpContext): Promise<void> {
  try {
    await next()
  } catch (error) {
    if (ctx.res.headersSent) throw error
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

const METHODS = ['GET', 'POST', 'PATCH', 'DELETE', 'OPTIONS']

function preflight(origins: readonly string[]) {
  const allow = cors({
    origin: (ctx) => (origins.includes(ctx.get('Origin')) ? ctx.get('Origin') : ''),
    allowMethods: METHODS.join(', '),
    allowHeaders: 'Authorization, Content-Type, X-CSRF-Token',
    exposeHeaders: 'X-Version, X-Request-Id, Retry-After',
    maxAge: 600,
    credentials: true,
  })
  return (ctx: Context, next: Next): Promise<void> => {
    if (!ctx.path.startsWith(PREFIX)) return next()
    if ((ctx.req.headers.origin ?? '') !== '' || ctx.method === 'OPTIONS') return answerOrigin(ctx, next)
    setHead(ctx, 'Vary', 'Origin')
    return next()
  }

  async function answerOrigin(ctx: Context, next: Next): Promise<void> {
    const isPreflight = ctx.method === 'OPTIONS' && ctx.get('Access-Control-Request-Method') !== ''
    await allow(ctx, isPreflight ? async () => {} : next)
    if (!isPreflight) return
    ctx.status = 200
    ctx.body = ''
  }
}

function refuseUnrouted(ctx: Context, router: Router): void {
  if (ctx.status !== 404 || ctx.body !== undefined) return
  const methods = new Set(router.match(ctx.path, ctx.method).path.flatMap((layer) => layer.methods))
  if (methods.size === 0) throw new DomainError('not_found', {})
  throw new DomainError('method_not_allowed', { allow: [...methods] })
}
