import type { Context } from 'koa'
import * as v from 'valibot'
import type { BrowserClaims } from '#application/auth/console-session.ts'
import { normaliseUserCode } from '#domain/user-code.ts'
import type { Account } from '#domain/workspace.ts'
import { readBody } from '../body.ts'
import type { HttpContext } from '../http-context.ts'
import { parseInput, queryObject, refuse } from '../input.ts'
import { refuseForeignOrigin } from '../own-origin.ts'
import { claimsOf } from '../request-facts.ts'
import type { Words } from './words.ts'

type Fields = Readonly<Record<string, string>>

/** One request for a page, its form read. */
export type Visit = {
  readonly http: HttpContext
  readonly cases: HttpContext['cases']
  readonly words: Words
  readonly query: Fields
  readonly form: Fields
  /** The form's hidden field stands where a script would send the CSRF header. */
  readonly claims: BrowserClaims
  readonly ip: string
  /** The code that form or address carry, in its one spelling; null when they carry none that could be one. */
  readonly userCode: string | null
  readonly ctx: Context
}

/** Who looks at the page. The token goes into its forms. */
export type Visitor = { readonly account: Account; readonly csrfToken: string }

const MAX_FORM_BYTES = 16 * 1024
const Form = v.record(v.string(), v.string())

/** @throws DomainError `foreign_origin` | `unsupported_media_type` | `payload_too_large` | `invalid_input` */
export async function openVisit(ctx: Context, http: HttpContext, words: Words): Promise<Visit> {
  const form = ctx.method === 'POST' ? await readForm(ctx, http) : {}
  const query = queryObject(ctx.querystring, 'issues')
  const claims = { ...claimsOf(ctx, http), csrfHeader: form.csrf_token ?? null }
  const userCode = normaliseUserCode(form.user_code ?? query.user_code ?? '')
  return { ctx, http, cases: http.cases, words, query, form, claims, ip: claims.ip, userCode }
}

async function readForm(ctx: Context, http: HttpContext): Promise<Fields> {
  refuseForeignOrigin(ctx, http.settings)
  const body = await readBody(ctx, { json: false, form: true, maxBytes: MAX_FORM_BYTES, invalid: 'issues' })
  const [repeated] = body.repeated
  if (repeated !== undefined) {
    throw refuse([{ type: 'repeated', loc: [repeated], msg: 'must not be repeated' }], 'issues')
  }
  return parseInput(Form, body.value, 'issues')
}

/** The signed-in person, or null: also without a CSRF cookie, since no form of theirs would be accepted. */
export async function whoVisits({ cases, claims }: Visit): Promise<Visitor | null> {
  if (claims.csrfCookie === null) return null
  const who = await cases.consoleGuards.whoIs(claims)
  return who === null ? null : { account: who.account, csrfToken: claims.csrfCookie }
}

/** A page's own address, with the code when there is one: built from what the code means, never from a URL. */
export function withCode(path: '/device' | '/signin' | '/install', userCode: string | null): string {
  return userCode === null ? path : `${path}?user_code=${userCode}`
}

/** The one page besides `/device` that sign-in leads back to; anything else that an address names is ignored. */
export const SESSIONS = '/device/sessions'

/** Where sign-in leads: to the terminals when it was asked for from there, else to the device. */
export function afterSignIn(returnTo: string | undefined, userCode: string | null): string {
  return returnTo === SESSIONS ? SESSIONS : withCode('/device', userCode)
}
