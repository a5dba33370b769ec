import { DomainError } from '#domain/errors.ts'
import { limits } from '#domain/rate-limit.ts'
import type { Account } from '#domain/workspace.ts'
import type { AccountDirectory } from '../ports/account-directory.ts'
import type { Clock } from '../ports/clock.ts'
import type { ConsoleSession, ConsoleTokens } from '../ports/console-tokens.ts'
import type { RefreshTokenStore } from '../ports/refresh-token-store.ts'
import type { SameSecret } from '../ports/secrets.ts'
import type { Spend } from './spend.ts'

/** What a browser sent, before anyone believed it. */
export type BrowserClaims = {
  readonly accessToken: string | null
  readonly csrfCookie: string | null
  readonly csrfHeader: string | null
  readonly ip: string
}

export type SignedIn = { readonly account: Account; readonly session: ConsoleSession }

type Needs = {
  accounts: AccountDirectory
  refreshTokens: RefreshTokenStore
  consoleTokens: ConsoleTokens
  sameSecret: SameSecret
  spend: Spend
  now: Clock
  settings: { readonly bearerEnabled: boolean; readonly decidePerHour: number }
}

export type ConsoleGuards = {
  /** The signed-in person, or null. Never looks at a bearer: a terminal's token must not act as a browser. */
  whoIs(claims: BrowserClaims): Promise<SignedIn | null>
  /** @throws DomainError `unauthorized` */
  signedIn(claims: BrowserClaims): Promise<SignedIn>
  /** @throws DomainError `unauthorized` | `csrf_mismatch` */
  mayChange(claims: BrowserClaims): Promise<SignedIn>
  /**
   * Everything that stands before a decision on a device code, in the order the answers promise.
   * @throws DomainError `not_setup` | `unauthorized` | `csrf_mismatch` | `account_not_initialized` |
   *   `bearer_auth_disabled` | `rate_limited`
   */
  mayDecide(claims: BrowserClaims): Promise<SignedIn>
}

/** Guards of routes that a browser reaches with its cookies. */
export function makeConsoleGuards(needs: Needs): ConsoleGuards {
  const { accounts, refreshTokens, consoleTokens, sameSecret, spend, now, settings } = needs

  async function whoIs({ accessToken }: BrowserClaims): Promise<SignedIn | null> {
    const session = accessToken === null ? null : await consoleTokens.readAccess(accessToken)
    if (session === null || !(await refreshTokens.isLive(session, now()))) return null
    const account = await accounts.find(session.accountId)
    if (account === null || account.status === 'banned' || account.status === 'closed') return null
    return { account, session }
  }

  async function signedIn(claims: BrowserClaims): Promise<SignedIn> {
    const who = await whoIs(claims)
    if (who === null) throw new DomainError('unauthorized', {})
    return who
  }

  async function mayChange(claims: BrowserClaims): Promise<SignedIn> {
    const who = await signedIn(claims)
    const { csrfCookie, csrfHeader } = claims
    const same = csrfCookie !== null && csrfHeader !== null && sameSecret(csrfCookie, csrfHeader)
    const csrf = same ? await consoleTokens.readCsrf(csrfHeader) : null
    if (csrf?.accountId !== who.account.id) throw new DomainError('csrf_mismatch', {})
    return who
  }

  return {
    whoIs,
    signedIn,
    mayChange,
    async mayDecide(claims) {
      if ((await accounts.owner()) === null) throw new DomainError('not_setup', {})
      const who = await mayChange(claims)
      if (who.account.status !== 'active') throw new DomainError('account_not_initialized', {})
      if (!settings.bearerEnabled) throw new DomainError('bearer_auth_disabled', {})
      const bucket = limits.decide(who.account.id, settings.decidePerHour)
      await spend(bucket, { ip: claims.ip, accountId: who.account.id })
      return who
    },
  }
}
