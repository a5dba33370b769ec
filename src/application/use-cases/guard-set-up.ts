import { DomainError } from '#domain/errors.ts'
import { limits } from '#domain/rate-limit.ts'
import type { Spend } from '../auth/spend.ts'
import type { AccountDirectory } from '../ports/account-directory.ts'
import type { Clock } from '../ports/clock.ts'
import type { ConsoleTokens } from '../ports/console-tokens.ts'
import type { RateLimiter } from '../ports/rate-limiter.ts'
import type { SameSecret } from '../ports/secrets.ts'

type Needs = {
  accounts: AccountDirectory
  consoleTokens: ConsoleTokens
  limiter: RateLimiter
  spend: Spend
  sameSecret: SameSecret
  now: Clock
  settings: { readonly initPassword: string | null }
}

/** Shows that its bearer knew the set-up password. */
export type SetUpPass = { readonly pass: string; readonly expiresAtMs: number }

/** Keeps a fresh server from being set up by whoever finds it first, when the operator chose a password. */
export type SetUpGuard = {
  /** Whether a set-up still takes the password, or a pass in its place. */
  isLocked(pass: string | null): Promise<boolean>
  /**
   * Trades the password for a pass.
   * @throws DomainError `already_setup` | `init_validate_failed` | `rate_limited`
   */
  unlock(input: { readonly password: string; readonly ip: string }): Promise<SetUpPass>
}

const PASS_MS = 3_600_000
/** No account has this id, so the pass is nobody's CSRF token, and nobody's CSRF token is a pass. */
const NEWCOMER = { accountId: 'set-up', family: 'set-up' }

export function makeSetUpGuard(needs: Needs): SetUpGuard {
  const { accounts, consoleTokens, limiter, spend, sameSecret, now } = needs
  const { initPassword } = needs.settings
  return {
    async isLocked(pass) {
      if (initPassword === null || (await accounts.owner()) !== null) return false
      return pass === null || (await consoleTokens.readCsrf(pass))?.accountId !== NEWCOMER.accountId
    },

    async unlock({ password, ip }) {
      if ((await accounts.owner()) !== null) throw new DomainError('already_setup', {})
      const bucket = limits.init(ip)
      const receipt = await spend(bucket, { ip, accountId: null })
      if (initPassword !== null && !sameSecret(password, initPassword)) {
        throw new DomainError('init_validate_failed', {})
      }
      await limiter.giveBack(bucket, receipt)
      const expiresAtMs = now() + PASS_MS
      return { pass: await consoleTokens.signCsrf(NEWCOMER, expiresAtMs), expiresAtMs }
    },
  }
}
