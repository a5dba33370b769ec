import type { Context } from 'koa'
import type { SubjectLimit } from '#application/auth/authenticate.ts'
import { requireScope } from '#application/auth/checks.ts'
import type { SignedIn } from '#application/auth/console-session.ts'
import type { Mounted } from '#application/auth/pipeline.ts'
import type { AuthContext } from '#domain/auth-context.ts'
import type { ApprovalGrant } from '#domain/external-sign-on.ts'
import type { Bucket } from '#domain/rate-limit.ts'
import type { Scope } from '#domain/scope.ts'
import type { SubjectType } from '#domain/subject.ts'
import { deviceCookiesOf } from './device-cookies.ts'
import type { HttpContext } from './http-context.ts'
import { refuseForeignOrigin } from './own-origin.ts'
import { claimsOf, csrfHeaderOf, originOf } from './request-facts.ts'

/** Who may come in. A route without one does not compile. */
export type Access =
  /** `tells` a signed-in browser more; that is for the handler, admission asks nobody. */
  | { readonly kind: 'public'; readonly limit?: (ip: string) => Bucket; readonly tells?: 'console' }
  /** A browser that must not be steered by another site: no cookie yet to hold a CSRF token. */
  | { readonly kind: 'same-origin' }
  | {
      readonly kind: 'bearer'
      readonly scope: Scope | null
      readonly ownLimit?: SubjectLimit
      /** The only kind of subject that gets past. */
      readonly accepts?: SubjectType
      /** Not there at all unless external sign-on is licensed. */
      readonly licensed?: boolean
    }
  | { readonly kind: 'app'; readonly scope: Scope }
  | { readonly kind: 'console'; readonly changes: boolean }
  | { readonly kind: 'decide' }
  /** Not there at all unless external sign-on is licensed. */
  | { readonly kind: 'enterprise'; readonly limit?: (ip: string) => Bucket }
  /** A browser that comes from an external sign-on. */
  | { readonly kind: 'approval-grant'; readonly changes: boolean }

/** What admission establishes, by the kind of access. */
export type WhoBy = {
  public: null
  'same-origin': null
  bearer: AuthContext
  app: Mounted
  console: SignedIn
  decide: SignedIn
  enterprise: null
  'approval-grant': ApprovalGrant
}

/** Runs the guards that `access` names; each stands before the body is read. */
export function admit<A extends Access>(access: A, ctx: Context, http: HttpContext): Promise<WhoBy[A['kind']]> {
  return admitAs(access, ctx, http) as Promise<WhoBy[A['kind']]> // the switch below returns what WhoBy says for each kind
}

async function admitAs(access: Access, ctx: Context, http: HttpContext): Promise<WhoBy[Access['kind']]> {
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
      if (access.licensed === true) await cases.approvalGuards.licensed()
      const context = await cases.authenticate(bearerOf(ctx), {
        ownLimit: access.ownLimit,
        from: () => originOf(ctx, http),
      })
      if (access.accepts !== undefined) await cases.requireSubject(context, access.accepts, String(ctx.state.route))
      if (access.scope !== null) requireScope(context, access.scope, 'read')
      return context
    }
    case 'app': {
      const appId = String(ctx.params.id ?? '')
      return cases.admitToApp({
        bearer: bearerOf(ctx),
        requires: access.scope,
        appId,
        from: () => originOf(ctx, http),
      })
    }
    case 'console':
      return access.changes
        ? cases.consoleGuards.mayChange(claimsOf(ctx, http))
        : cases.consoleGuards.signedIn(claimsOf(ctx, http))
    case 'decide':
      return cases.consoleGuards.mayDecide(claimsOf(ctx, http))
    case 'enterprise': {
      await cases.approvalGuards.licensed()
      if (access.limit === undefined) return null
      const ip = http.clientAddress(ctx.req)
      await cases.spend(access.limit(ip), { ip, accountId: null })
      return null
    }
    case 'approval-grant': {
      await cases.approvalGuards.licensed()
      const claims = {
        sealedGrant: deviceCookiesOf(ctx, http.cookies.secure).grant(),
        csrfHeader: csrfHeaderOf(ctx),
        ip: http.clientAddress(ctx.req),
      }
      return access.changes ? cases.approvalGuards.mayApprove(claims) : cases.approvalGuards.holdsGrant(claims)
    }
  }
}

/** The bearer of RFC 6750 §2.1; null for an absent header, another scheme or an empty token. */
function bearerOf(ctx: Context): string | null {
  const match = /^bearer +(\S+) *$/i.exec(ctx.req.headers.authorization ?? '')
  return match?.[1] ?? null
}
