import cors from '@koa/cors'
import Router from '@koa/router'
import Koa, { type Context, type Next } from 'koa'
import { DomainError } from '#domain/errors.ts'
import { writeError } from './errors.ts'
import { openApiDocument } from './openapi.ts'
import type { HttpContext, Route } from './route.ts'
import { accountRoutes } from './routes/account.ts'
import { appRoutes } from './routes/apps.ts'
import { consoleRoutes } from './routes/console.ts'
import { deviceRoutes } from './routes/device.ts'
import { metadata, metaRoutes } from './routes/meta.ts'
import { type Page, pageRoutes } from './routes/pages.ts'
import { runRoutes } from './routes/run.ts'
import { workspaceRoutes } from './routes/workspaces.ts'

export const PREFIX = '/openapi/v1'
const CONSOLE_PREFIX = '/console/api'

/** Routes under the public prefix; the OpenAPI document lists exactly these. */
export const apiRoutes: readonly Route[] = [
  ...metaRoutes(() => openApiDocument(apiRoutes)),
  ...deviceRoutes,
  ...accountRoutes,
  ...workspaceRoutes,
  ...appRoutes,
  ...runRoutes,
]

/** The whole HTTP surface. Listening and closing are the caller's. */
export function createHttpApp(http: HttpContext): Koa {
  const app = new Koa()
  app.silent = true
  app.on('error', (error: Error & { code?: string }) => {
    // Koa reports every reader that hung up; that is no fault of ours.
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE' && error.code !== 'ECONNRESET') http.log.error('http', { error })
  })
  const router = new Router()
  for (const one of apiRoutes) mount(router, PREFIX + one.path, one, http)
  for (const one of consoleRoutes) mount(router, CONSOLE_PREFIX + one.path, one, http)
  // RFC 8414 §3.1 puts the well-known part before the issuer's path.
  mount(router, `/.well-known/oauth-authorization-server${PREFIX}`, metadata, http)
  for (const page of pageRoutes) mountPage(router, page, http)

  app.use((ctx, next) => head(ctx, next, http))
  app.use((ctx, next) => rescue(ctx, next, http))
  app.use(preflight(http.settings.corsOrigins))
  app.use(router.routes())
  app.use(async (ctx) => refuseUnrouted(ctx, router))
  return app
}

function mount(router: Router, path: string, { method, cacheable, serve }: Route, http: HttpContext): void {
  router[method](path, async (ctx) => {
    if (!cacheable) ctx.set('Cache-Control', 'no-store')
    await serve(ctx, http)
  })
}

function mountPage(router: Router, { method, path, serve }: Page, http: HttpContext): void {
  router[method](path, (ctx) => serve(ctx, http))
}

const REQUEST_ID = /^[\w.-]{1,128}$/
const TRACE_PARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/

/** Headers of every answer. `default-src 'self'`: no inline script or style ever runs, whatever reaches a page. */
async function head(ctx: Context, next: Next, { version }: HttpContext): Promise<void> {
  const given = ctx.get('X-Request-Id')
  const traced = TRACE_PARENT.exec(ctx.get('traceparent'))?.[1]
  ctx.state.requestId = REQUEST_ID.test(given) ? given : (traced ?? crypto.randomUUID())
  ctx.set({
    'X-Request-Id': ctx.state.requestId,
    'X-Version': version,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'X-Frame-Options': 'DENY',
    'Content-Security-Policy': "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  })
  if (ctx.path.startsWith(PREFIX) || ctx.path.startsWith(CONSOLE_PREFIX)) ctx.state.isApi = true
  await next()
}

/** The one place where anything thrown becomes an answer. */
async function rescue(ctx: Context, next: Next, { log }: HttpContext): Promise<void> {
  try {
    await next()
  } catch (error) {
    if (ctx.res.headersSent) throw error
    writeError(ctx, error)
    if (ctx.state.isApi === true && !ctx.response.get('Cache-Control')) ctx.set('Cache-Control', 'no-store')
    if (error instanceof DomainError && ctx.status < 500) return
    const { requestId } = ctx.state
    log.error('request failed', { requestId, method: ctx.method, route: ctx._matchedRoute ?? null, error })
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
  return async (ctx: Context, next: Next) => {
    if (!ctx.path.startsWith(PREFIX)) return next()
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
