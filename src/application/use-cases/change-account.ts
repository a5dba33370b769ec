import { normaliseEmail } from '#domain/email.ts'
import type { AccountStatus } from '#domain/workspace.ts'
import type { AccountDirectory } from '../ports/account-directory.ts'
import type { AccountLifecycle } from '../ports/account-lifecycle.ts'
import type { AuditLog } from '../ports/audit-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { TokenCache } from '../ports/token-cache.ts'
import type { UnitOfWork } from '../ports/unit-of-work.ts'

type Needs = {
  accounts: AccountDirectory
  lifecycle: AccountLifecycle
  cache: TokenCache
  audit: AuditLog
  unitOfWork: UnitOfWork
  now: Clock
}

export type AccountChange = 'ban' | 'unban' | 'close'

export type ChangedAccount =
  | { readonly kind: 'changed'; readonly revokedTokens: number }
  | { readonly kind: 'unknown' }
  /** The account is in a status that this change does not start from. */
  | { readonly kind: 'refused'; readonly status: AccountStatus }

/** Lets an operator shut a person out or in again; who is shut out holds no live token the moment it commits. */
export type ChangeAccount = (email: string, change: AccountChange) => Promise<ChangedAccount>

const CHANGES: Readonly<
  Record<
    AccountChange,
    { readonly from: readonly AccountStatus[]; readonly to: AccountStatus; readonly reason: string }
  >
> = {
  ban: { from: ['pending', 'uninitialized', 'active'], to: 'banned', reason: 'account_banned' },
  unban: { from: ['banned'], to: 'active', reason: '' },
  // For good: an email that was given away must not come back with its workspaces.
  close: { from: ['pending', 'uninitialized', 'active', 'banned'], to: 'closed', reason: 'account_closed' },
}

export function makeChangeAccount({ accounts, lifecycle, cache, audit, unitOfWork, now }: Needs): ChangeAccount {
  return async (email, change) => {
    const account = await accounts.findByEmail(normaliseEmail(email))
    if (account === null) return { kind: 'unknown' }
    const dead = await unitOfWork(() => apply(account.id, change))
    if (dead === null) {
      // Another operator may have been first; what holds now is what the answer names.
      const status = (await accounts.find(account.id))?.status ?? account.status
      return { kind: 'refused', status }
    }
    await cache.invalidate(dead)
    return { kind: 'changed', revokedTokens: dead.length }
  }

  /** The digests that died, or null when the account was not in a status to change from. */
  async function apply(accountId: string, change: AccountChange): Promise<readonly string[] | null> {
    const { from, to, reason } = CHANGES[change]
    if (!(await lifecycle.changeStatus(accountId, from, to))) return null
    await audit.append({ event: 'account.status_changed', facts: { accountId, status: to } }, now())
    if (to === 'active') return []
    const dead = await lifecycle.revokeTokens(accountId, now())
    for (const { id: tokenId } of dead) {
      const facts = { tokenId, subjectType: 'account' as const, accountId, reason }
      await audit.append({ event: 'oauth.token_revoked', facts }, now())
    }
    await lifecycle.endSignIns(accountId)
    return dead.map(({ tokenHash }) => tokenHash)
  }
}
