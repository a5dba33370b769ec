import { normaliseEmail } from '#domain/email.ts'
import { DomainError } from '#domain/errors.ts'
import { networkOf } from '#domain/ip-network.ts'
import { limits } from '#domain/rate-limit.ts'
import { makeAtOnce } from '../auth/at-once.ts'
import type { Spend } from '../auth/spend.ts'
import type { AccountDirectory } from '../ports/account-directory.ts'
import type { AuditLog } from '../ports/audit-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { ConsoleTokens } from '../ports/console-tokens.ts'
import type { PasswordHasher } from '../ports/password-hasher.ts'
import type { RateLimiter } from '../ports/rate-limiter.ts'
import type { RefreshTokenStore } from '../ports/refresh-token-store.ts'
import type { Digest, NewId, RandomBytes } from '../ports/secrets.ts'
import type { UnitOfWork } from '../ports/unit-of-work.ts'

type Needs = {
  accounts: AccountDirectory
  passwords: PasswordHasher
  refreshTokens: RefreshTokenStore
  consoleTokens: ConsoleTokens
  limiter: RateLimiter
  spend: Spend
  audit: AuditLog
  unitOfWork: UnitOfWork
  digest: Digest
  randomBytes: RandomBytes
  newId: NewId
  now: Clock
  settings: { readonly accessMinutes: number; readonly refreshDays: number }
}

/** What a browser is handed; the instants are when each stops working. */
export type BrowserCredentials = {
  readonly accountId: string
  readonly accessToken: string
  readonly csrfToken: string
  readonly refreshToken: string
  readonly accessExpiresAtMs: number
  readonly refreshExpiresAtMs: number
}

export type ConsoleSessions = {
  /**
   * @throws DomainError `authentication_failed` (unknown email and wrong password alike) | `rate_limited` (also while too
   *   many of that network are under way)
   */
  signIn(input: { readonly email: string; readonly password: string; readonly ip: string }): Promise<BrowserCredentials>
  /**
   * Trades a refresh token for the next one of its family; a used one ends the family (RFC 9700 §4.14.2).
   * @throws DomainError `unauthorized`
   */
  refresh(refreshToken: string | null): Promise<BrowserCredentials>
  /** Ends the sign-in on every replica. */
  signOut(family: string): Promise<void>
}

/** Of one network: a quarter of those who may wait for their passwords to be looked at. */
const MAX_AT_ONCE = 16
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** Browser sessions: sign-in, renewal, sign-out. */
export function makeConsoleSessions(needs: Needs): ConsoleSessions {
  const { accounts, passwords, refreshTokens, consoleTokens, limiter, spend, audit, unitOfWork } = needs
  const { digest, randomBytes, newId, now } = needs
  const { accessMinutes, refreshDays } = needs.settings

  async function issue(accountId: string, family: string): Promise<BrowserCredentials> {
    const session = { accountId, family }
    const accessExpiresAtMs = now() + accessMinutes * MINUTE_MS
    const refreshExpiresAtMs = now() + refreshDays * DAY_MS
    const refreshToken = btoa(String.fromCharCode(...randomBytes(32)))
    await refreshTokens.insert({ hash: digest(refreshToken), family, accountId, expiresAtMs: refreshExpiresAtMs })
    return {
      accountId,
      accessToken: await consoleTokens.signAccess(session, accessExpiresAtMs),
      csrfToken: await consoleTokens.signCsrf(session, accessExpiresAtMs),
      refreshToken,
      accessExpiresAtMs,
      refreshExpiresAtMs,
    }
  }

  /** Calls `notLooked` when it fails before the password was looked at: of a later failure a guesser has learnt. */
  async function look(email: string, password: string, notLooked: () => Promise<void>) {
    const [typed = '', ...meant] = spellings(password)
    let account: Awaited<ReturnType<AccountDirectory['findByEmail']>>
    let right: boolean
    try {
      account = await accounts.findByEmail(email)
      right = await passwords.verify(typed, account?.passwordHash ?? null)
    } catch (error) {
      await notLooked()
      throw error
    }
    for (const other of meant) right ||= await passwords.verify(other, account?.passwordHash ?? null)
    return { account, right }
  }

  const atOnce = makeAtOnce(MAX_AT_ONCE)

  const signIn: ConsoleSessions['signIn'] = async ({ email: typed, password, ip }) => {
    const email = normaliseEmail(typed)
    const bucket = limits.login(email, ip)
    // Spent before the password is looked at and given back on success: concurrent guesses count too.
    const receipt = await spend(bucket, { ip, accountId: null })
    const { account, right } = await look(email, password, () => limiter.giveBack(bucket, receipt))
    if (account === null || !right || account.status === 'banned' || account.status === 'closed') {
      await audit.append({ event: 'console.login_failed', facts: { accountId: account?.id ?? null, ip } }, now())
      throw new DomainError('authentication_failed', {})
    }
    await limiter.giveBack(bucket, receipt)
    return unitOfWork(async () => {
      const credentials = await issue(account.id, newId())
      await audit.append({ event: 'console.login', facts: { accountId: account.id, ip } }, now())
      return credentials
    })
  }

  return {
    // The limit is by person, and a flood of made-up ones would else take every place in the queue for passwords.
    signIn: (input) => atOnce(networkOf(input.ip), () => signIn(input)),

    async refresh(refreshToken) {
      const use = refreshToken === null ? null : await refreshTokens.use(digest(refreshToken), now())
      if (use?.kind === 'reused') await refreshTokens.endFamily(use.family)
      if (use?.kind !== 'ok') throw new DomainError('unauthorized', {})
      const account = await accounts.find(use.accountId)
      if (account === null || account.status === 'banned' || account.status === 'closed') {
        throw new DomainError('unauthorized', {})
      }
      return issue(use.accountId, use.family)
    },

    signOut: (family) => refreshTokens.endFamily(family),
  }
}

/**
 * The password as typed and, when it is the base64 of UTF-8 text as some web clients send it, as meant. How many
 * there are depends on what was sent alone, so the time tells nothing about the account.
 */
function spellings(password: string): readonly string[] {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(password) || password.length % 4 !== 0) return [password]
  const bytes = Uint8Array.from(atob(password), (letter) => letter.charCodeAt(0))
  try {
    return [password, new TextDecoder('utf-8', { fatal: true }).decode(bytes)]
  } catch (error) {
    if (error instanceof TypeError) return [password]
    throw error
  }
}
