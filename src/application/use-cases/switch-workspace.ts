import { DomainError } from '#domain/errors.ts'
import type { Account } from '#domain/workspace.ts'
import type { ForgetAccount } from '../auth/forget-account.ts'
import type { MembershipDirectory } from '../ports/account-directory.ts'

export type SwitchWorkspace = (account: Account, workspaceId: string) => Promise<void>

/** Makes a workspace the one its member works in. @throws DomainError `workspace_not_found` */
export function makeSwitchWorkspace(needs: {
  memberships: MembershipDirectory
  forgetAccount: ForgetAccount
}): SwitchWorkspace {
  return async (account, workspaceId) => {
    if (!(await needs.memberships.setCurrent(account.id, workspaceId))) throw new DomainError('workspace_not_found', {})
    await needs.forgetAccount(account)
  }
}
