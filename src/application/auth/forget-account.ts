import { MAX_PAGE_LIMIT } from '#domain/page.ts'
import type { Account } from '#domain/workspace.ts'
import type { Clock } from '../ports/clock.ts'
import type { TokenCache } from '../ports/token-cache.ts'
import type { TokenStore } from '../ports/token-store.ts'

/** Makes every replica read an account's memberships anew at its tokens' next request. */
export type ForgetAccount = (account: Pick<Account, 'id' | 'email'>) => Promise<void>

export function makeForgetAccount(needs: { tokens: TokenStore; cache: TokenCache; now: Clock }): ForgetAccount {
  return async ({ id, email }) => {
    const subject = { type: 'account' as const, accountId: id, email }
    for (let page = 1, hasMore = true; hasMore; page++) {
      const tokens = await needs.tokens.listLive(subject, { page, limit: MAX_PAGE_LIMIT }, needs.now())
      await needs.cache.forget(tokens.data.map(({ tokenHash }) => tokenHash))
      hasMore = tokens.hasMore
    }
  }
}
