import type { Context } from 'koa'
import type { BrowserClaims } from '#application/auth/console-session.ts'
import type { BrowserCredentials } from '#application/use-cases/console-sessions.ts'
import type { SetUpPass } from '#application/use-cases/guard-set-up.ts'
import type { IncomingFile } from '#application/use-cases/upload-file.ts'
import type { Origin } from '#domain/device-flow-state.ts'
import { type DeviceCookies, deviceCookiesOf } from './device-cookies.ts'
import type { HttpContext } from './http-context.ts'
import { readFilePart } from './multipart.ts'

/** What a handler may know of the request beside its input. */
export type RequestFacts = {
  readonly ip: string
  readonly userAgent: string | null
  readonly claims: BrowserClaims
  readonly refreshToken: string | null
  readonly setUpPass: string | null
  readonly deviceCookies: DeviceCookies
  readonly querystring: string
  /** `Accept` names HTML itself, as a browser's address bar does. */
  readonly asksForHtml: boolean
  readonly prefersEventStream: boolean
  /** The body was a form. */
  readonly isForm: boolean
  readonly http: HttpContext
  /** The file of a multipart body; see `readFilePart`. */
  filePart(): Promise<IncomingFile>
  /** Calls `fire` when the caller goes away before the answer is complete. */
  onHangUp(fire: () => void): void
  setPass(pass: SetUpPass): void
  setSession(credentials: BrowserCredentials): void
  clearSession(): void
}

/** Spelled either way. */
export function csrfHeaderOf(ctx: Context): string | null {
  return ctx.get('X-CSRF-Token') || ctx.get('X-CSRFToken') || null
}

/** What the browser's cookies and headers claim. */
export function claimsOf(ctx: Context, { cookies, clientAddress }: HttpContext): BrowserClaims {
  return {
    accessToken: cookies.read(ctx, 'access_token'),
    csrfCookie: cookies.read(ctx, 'csrf_token'),
    csrfHeader: csrfHeaderOf(ctx),
    ip: clientAddress(ctx.req),
  }
}

/**
 * Read when asked for: most handlers need none of it, and every request would pay for all of it. A class, because
 * each object literal with getters brings a hidden class of its own, which outlives the request by minutes.
 */
export class LazyFacts implements RequestFacts {
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

  get deviceCookies() {
    return deviceCookiesOf(this.#ctx, this.http.cookies.secure)
  }

  get querystring() {
    return this.#ctx.querystring
  }

  get asksForHtml() {
    return wantsPage(this.#ctx)
  }

  get prefersEventStream() {
    return this.#ctx.accepts('application/json', 'text/event-stream') === 'text/event-stream'
  }

  get isForm() {
    return Boolean(this.#ctx.is('urlencoded'))
  }

  // Handlers take these apart from the object, so they carry what they need.
  get filePart() {
    const ctx = this.#ctx
    const { timer } = this.http
    return () => readFilePart(ctx, 'file', timer)
  }

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
  const given = ctx.req.headers['user-agent'] ?? ''
  const printable = UNPRINTABLE.test(given) ? given.replaceAll(/[^\x20-\x7e]/g, '') : given
  return printable === '' ? null : printable.slice(0, 512)
}

/** Where the request comes from. */
export function originOf(ctx: Context, http: HttpContext): Origin {
  return { ip: http.clientAddress(ctx.req), userAgent: userAgentOf(ctx) }
}

function safeDecode(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return null
    throw error
  }
}

/** Whether `Accept` names `text/html`: a browser on its way to a page does, a program that takes anything does not. */
export function wantsPage(ctx: Context): boolean {
  return /\btext\/html\b/i.test(ctx.get('Accept')) && ctx.accepts('text/html') !== false
}
