import { DomainError } from '#domain/errors.ts'
import type { Account, Membership } from '#domain/workspace.ts'
import type { ForgetAccount } from '../auth/forget-account.ts'
import type { MembershipDirectory } from '../ports/account-directory.ts'

export type SwitchWorkspace = (account: Account, workspaceId: string) => Promise<Membership>

/** Makes a workspace the one its member works in; again is the same. @throws DomainError `workspace_not_found` */
export function makeSwitchWorkspace(needs: {
  memberships: MembershipDirectory
  forgetAccount: ForgetAccount
}): SwitchWorkspace {
  return async (account, workspaceId) => {
    if (!(await needs.memberships.setCurrent(account.id, workspaceId))) throw new DomainError('workspace_not_found', {})
    await needs.forgetAccount(account)
    const membership = await needs.memberships.find(account.id, workspaceId)
    if (membership === null) throw new DomainError('workspace_not_found', {})
    return membership
  }
}
