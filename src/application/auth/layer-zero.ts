import type { AuthContext } from '#domain/auth-context.ts'
import { DomainError } from '#domain/errors.ts'
import type { AccountDirectory, MembershipDirectory } from '../ports/account-directory.ts'
import type { TokenCache } from '../ports/token-cache.ts'

type Needs = {
  accounts: AccountDirectory
  memberships: MembershipDirectory
  cache: TokenCache
  /** A remote Enterprise service keeps workspaces apart, so asking here too would only contradict it. */
  settings: { readonly remoteIsolation: boolean }
}

/**
 * Layer 0: an account only reaches workspaces it is an active member of. A known verdict costs no query; a new
 * one is recorded into the very cache entry the context came from, so a change in between is not overwritten.
 * @throws DomainError `workspace_membership_revoked`
 */
export type RequireMembership = (context: AuthContext, workspaceId: string) => Promise<void>

export function makeRequireMembership({ accounts, memberships, cache, settings }: Needs): RequireMembership {
  return async (context, workspaceId) => {
    if (settings.remoteIsolation || context.subject.type !== 'account') return
    const recorded: unknown = context.verifiedWorkspaces[workspaceId]
    // Only a real yes or no counts: a truthy leftover of another writer of the cache must let nobody in.
    const verdict = recorded === true || recorded === false ? recorded : null
    const member = verdict ?? (await isActiveMember(context.subject.accountId, workspaceId))
    if (verdict === null && context.cacheEntryId !== null) {
      await cache.recordVerdict(context.tokenHash, context.cacheEntryId, workspaceId, member)
    }
    if (!member) throw new DomainError('workspace_membership_revoked', {})
  }

  async function isActiveMember(accountId: string, workspaceId: string): Promise<boolean> {
    const membership = await memberships.find(accountId, workspaceId)
    if (membership === null) return false
    const account = await accounts.find(accountId)
    return account?.status === 'active'
  }
}
