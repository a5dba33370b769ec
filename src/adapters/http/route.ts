import type { Context } from 'koa'
import * as v from 'valibot'
import type { SubjectLimit } from '#application/auth/authenticate.ts'
import { requireScope } from '#application/auth/checks.ts'
import type { BrowserClaims, SignedIn } from '#application/auth/console-session.ts'
import type { Mounted } from '#application/auth/pipeline.ts'
import type { Clock, Timer } from '#application/ports/clock.ts'
import type { Log } from '#application/ports/log.ts'
import type { BrowserCredentials } from '#application/use-cases/console-sessions.ts'
import type { SetUpPass } from '#application/use-cases/guard-set-up.ts'
import type { UseCases } from '#application/use-cases.ts'
import type { AuthContext } from '#domain/auth-context.ts'
import type { Origin } from '#domain/device-flow-state.ts'
import { DomainError, type ErrorCode } from '#domain/errors.ts'
import type { Bucket } from '#domain/rate-limit.ts'
import type { Scope } from '#domain/scope.ts'
import { isUuid } from '#domain/uuid.ts'
import { MAX_BODY_BYTES, readBody } from './body.ts'
import type { ClientAddress } from './client-address.ts'
import type { ConsoleCookies } from './cookies.ts'
import { type InvalidStyle, type ObjectSchema, parseInput, queryObject, refuse, withoutEmpty } from './input.ts'
import { refuseForeignOrigin } from './own-origin.ts'
import { type EventStream, writeEventStream } from './sse.ts'

/** Who may come in. A route without one does not compile. */
export type Access =
  | { readonly kind: 'public'; readonly limit?: (ip: string) => Bucket }
  /** A browser that must not be steered by another site: no cookie yet to hold a CSRF token. */
  | { readonly kind: 'same-origin' }
  | { readonly kind: 'bearer'; readonly scope: Scope | null; readonly ownLimit?: SubjectLimit }
  | { readonly kind: 'app'; readonly scope: Scope }
  | { readonly kind: 'console'; readonly changes: boolean }
  | { readonly kind: 'decide' }

type WhoBy = {
  public: null
  'same-origin': null
  bearer: AuthContext
  app: Mounted
  console: SignedIn
  decide: SignedIn
}

/** What a handler may know of the request beside its input. */
export type RequestFacts = {
  readonly ip: string
  readonly userAgent: string | null
  readonly claims: BrowserClaims
  readonly refreshToken: string | null
  readonly setUpPass: string | null
  readonly prefersEventStream: boolean
  /** The body was a form. */
  readonly isForm: boolean
  readonly http: HttpContext
  /** Calls `fire` when the caller goes away before the answer is complete. */
  onHangUp(fire: () => void): void
  setPass(pass: SetUpPass): void
  setSession(credentials: BrowserCredentials): void
  clearSession(): void
}

/** What the HTTP room itself needs; the core never sees it. */
export type HttpContext = {
  readonly cases: UseCases
  readonly settings: HttpSettings
  readonly cookies: ConsoleCookies
  readonly clientAddress: ClientAddress
  readonly log: Log
  readonly now: Clock
  readonly timer: Timer
  readonly version: string
  /** Replies are checked against their schema: on in tests, off in production. */
  readonly checkReplies: boolean
}

export type HttpSettings = {
  /** Base of the pages' URLs, never derived from the Host header. */
  readonly webOrigin: () => string
  /** RFC 8414 issuer, or null when the server does not know its public origin. */
  readonly issuer: () => string | null
  readonly corsOrigins: readonly string[]
}

type Params = Readonly<Record<string, string>>
type Output<S> = S extends ObjectSchema ? v.InferOutput<S> : Readonly<Record<string, unknown>>

type Definition<A extends Access, Q, B, R extends ObjectSchema> = {
  readonly method: 'get' | 'post' | 'delete'
  readonly path: string
  readonly summary: string
  readonly access: A
  readonly status?: number
  readonly query?: Q
  readonly body?: B
  readonly form?: boolean
  readonly maxBytes?: number
  readonly invalid?: InvalidStyle
  /** What a path id that is no UUID answers: the same as an unknown one. */
  readonly missing?: ErrorCode & ('session_not_found' | 'workspace_not_found' | 'app_not_found' | 'not_found')
  readonly cacheable?: boolean
  readonly reply: R
  /** The reply may also be an event stream. */
  readonly streams?: boolean
  readonly errors: readonly ErrorCode[]
  readonly handle: (
    input: { readonly query: Output<Q>; readonly body: Output<B>; readonly params: Params },
    who: WhoBy[A['kind']],
    cases: UseCases,
    facts: RequestFacts,
  ) => Promise<v.InferInput<R> | EventStream> | v.InferInput<R>
}

/** A route as the app and the OpenAPI document see it. */
export type Route = {
  readonly method: 'get' | 'post' | 'delete'
  readonly path: string
  readonly summary: string
  readonly access: Access
  readonly status: number
  readonly query: ObjectSchema | undefined
  readonly body: ObjectSchema | undefined
  readonly form: boolean
  readonly invalid: InvalidStyle
  readonly cacheable: boolean
  readonly reply: ObjectSchema
  readonly streams: boolean
  readonly errors: readonly ErrorCode[]
  /** Admits, parses, handles, answers: in that order, for every route. */
  readonly serve: (ctx: Context, http: HttpContext) => Promise<void>
}

/** Declares a route. */
export function route<
  const A extends Access,
  R extends ObjectSchema,
  Q extends ObjectSchema | undefined = undefined,
  B extends ObjectSchema | undefined = undefined,
>(definition: Definition<A, Q, B, R>): Route {
  const { query, body, invalid = 'issues', form = false, maxBytes = MAX_BODY_BYTES } = definition
  return {
    ...definition,
    status: definition.status ?? 200,
    query,
    body,
    form,
    invalid,
    cacheable: definition.cacheable ?? false,
    streams: definition.streams ?? false,
    async serve(ctx, http) {
      const params: Params = ctx.params ?? {}
      const who = await admit(definition.access, definition.path, ctx, http)
      const parsed = body === undefined ? null : await readBody(ctx, { json: true, form, maxBytes, invalid })
      if (parsed !== null && parsed.repeated.length > 0) throw refuseRepeated(parsed.repeated, invalid)
      const given = invalid === 'oauth' ? withoutEmpty(parsed?.value) : parsed?.value
      const input = {
        query: parseQuery(query, ctx, invalid),
        body: (body === undefined ? {} : parseInput(body, given, invalid)) as Output<B>, // B is undefined or its schema
        params,
      }
      if (!Object.values(params).every(isUuid)) throw new DomainError(definition.missing ?? 'not_found', {})
      const reply = await definition.handle(input, who, http.cases, new LazyFacts(ctx, http))
      await answer(ctx, http, definition.reply, definition.status ?? 200, reply)
    },
  }

  function parseQuery(schema: ObjectSchema | undefined, ctx: Context, style: InvalidStyle): Output<Q> {
    const parsed = schema === undefined ? {} : parseInput(schema, queryObject(ctx.querystring, style), style)
    return parsed as Output<Q> // Q is undefined or the schema just used
  }
}

function refuseRepeated(names: readonly string[], style: InvalidStyle): DomainError {
  return refuse(
    names.map((name) => ({ type: 'repeated', loc: [name], msg: 'must not be repeated' })),
    style,
  )
}

/** Runs the guards that `access` names; each stands before the body is read. */
function admit<A extends Access>(access: A, path: string, ctx: Context, http: HttpContext): Promise<WhoBy[A['kind']]> {
  return admitAs(access, path, ctx, http) as Promise<WhoBy[A['kind']]> // the switch below returns what WhoBy says for each kind
}

async function admitAs(access: Access, path: string, ctx: Context, http: HttpContext): Promise<WhoBy[Access['kind']]> {
  const { cases } = http
  switch (access.kind) {
    case 'public': {
      if (access.limit === undefined) return null
      const ip = http.clientAddress(ctx.req)
      await cases.spend(access.limit(ip), { ip, accountId: null })
      return null
    }
    case 'same-origin':
      refuseForeignOrigin(ctx, http.settings)
      return null
    case 'bearer': {
      const context = await cases.authenticate(bearerOf(ctx), {
        ownLimit: access.ownLimit,
        from: () => originOf(ctx, http),
      })
      if (access.scope !== null) requireScope(context, access.scope, 'read')
      return context
    }
    case 'app': {
      const appId = String(ctx.params.id ?? '')
      return cases.admitToApp({
        bearer: bearerOf(ctx),
        requires: access.scope,
        appId,
        route: path,
        from: () => originOf(ctx, http),
      })
    }
    case 'console':
      return access.changes
        ? cases.consoleGuards.mayChange(claimsOf(ctx, http))
        : cases.consoleGuards.signedIn(claimsOf(ctx, http))
    case 'decide':
      return cases.consoleGuards.mayDecide(claimsOf(ctx, http))
  }
}

/** The bearer of RFC 6750 §2.1; null for an absent header, another scheme or an empty token. */
function bearerOf(ctx: Context): string | null {
  const match = /^bearer +(\S+) *$/i.exec(ctx.get('Authorization'))
  return match?.[1] ?? null
}

/** What the browser's cookies and headers claim. */
export function claimsOf(ctx: Context, { cookies, clientAddress }: HttpContext): BrowserClaims {
  const header = ctx.get('X-CSRF-Token') || ctx.get('X-CSRFToken')
  return {
    accessToken: cookies.read(ctx, 'access_token'),
    csrfCookie: cookies.read(ctx, 'csrf_token'),
    csrfHeader: header === '' ? null : header,
    ip: clientAddress(ctx.req),
  }
}

/**
 * Read when asked for: most handlers need none of it, and every request would pay for all of it. A class, because
 * each object literal with getters brings a hidden class of its own, which outlives the request by minutes.
 */
class LazyFacts implements RequestFacts {
  readonly http: HttpContext
  readonly #ctx: Context

  constructor(ctx: Context, http: HttpContext) {
    this.http = http
    this.#ctx = ctx
  }

  get ip() {
    return this.http.clientAddress(this.#ctx.req)
  }

  get userAgent() {
    return userAgentOf(this.#ctx)
  }

  get claims() {
    return claimsOf(this.#ctx, this.http)
  }

  get refreshToken() {
    const value = this.http.cookies.read(this.#ctx, 'refresh_token')
    return value === null ? null : safeDecode(value)
  }

  get setUpPass() {
    return this.http.cookies.read(this.#ctx, 'init_token')
  }

  get prefersEventStream() {
    return this.#ctx.accepts('application/json', 'text/event-stream') === 'text/event-stream'
  }

  get isForm() {
    return Boolean(this.#ctx.is('urlencoded'))
  }

  // Handlers take these apart from the object, so they carry what they need.
  get onHangUp() {
    const { res } = this.#ctx
    return (fire: () => void) => {
      // Whoever went away while the guards were asked is told of by no event any more.
      if (res.destroyed) fire()
      else res.once('close', () => (res.writableFinished ? undefined : fire()))
    }
  }

  get setPass() {
    const { http } = this
    const ctx = this.#ctx
    return (pass: SetUpPass) => http.cookies.setPass(ctx, pass, http.now())
  }

  get setSession() {
    const { http } = this
    const ctx = this.#ctx
    return (credentials: BrowserCredentials) => http.cookies.set(ctx, credentials, http.now())
  }

  get clearSession() {
    const { http } = this
    const ctx = this.#ctx
    return () => http.cookies.clear(ctx)
  }
}

const UNPRINTABLE = /[^\x20-\x7e]/

function userAgentOf(ctx: Context): string | null {
  const given = ctx.get('User-Agent')
  const printable = UNPRINTABLE.test(given) ? given.replaceAll(/[^\x20-\x7e]/g, '') : given
  return printable === '' ? null : printable.slice(0, 512)
}

function originOf(ctx: Context, http: HttpContext): Origin {
  return { ip: http.clientAddress(ctx.req), userAgent: userAgentOf(ctx) }
}

function safeDecode(text: string): string | null {
  return /%(?![0-9a-f]{2})/i.test(text) ? null : decodeURIComponent(text)
}

async function answer(
  ctx: Context,
  http: HttpContext,
  schema: ObjectSchema,
  status: number,
  reply: unknown,
): Promise<void> {
  ctx.status = status
  if (!isEventStream(reply)) {
    if (http.checkReplies) v.parse(schema, reply)
    ctx.body = reply
    return
  }
  ctx.set({ 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' })
  ctx.respond = false
  ctx.res.statusCode = status
  await writeEventStream(ctx.res, reply, http.timer)
}

function isEventStream(reply: unknown): reply is EventStream {
  return typeof reply === 'object' && reply !== null && 'kind' in reply && reply.kind === 'event-stream'
}
