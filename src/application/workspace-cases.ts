import { normaliseEmail } from '#domain/email.ts'
import { makeForgetAccount } from './auth/forget-account.ts'
import type { AccountDirectory, MembershipDirectory } from './ports/account-directory.ts'
import type { Ports } from './ports.ts'
import { type ChangeAccount, makeChangeAccount } from './use-cases/change-account.ts'
import { type ManageMembers, makeManageMembers } from './use-cases/manage-members.ts'
import { makeSwitchWorkspace, type SwitchWorkspace } from './use-cases/switch-workspace.ts'

/** People, and the workspaces they are in. */
export type WorkspaceCases = {
  readonly members: ManageMembers
  readonly switchWorkspace: SwitchWorkspace
  readonly listWorkspaces: MembershipDirectory['list']
  readonly owner: AccountDirectory['owner']
  readonly findAccount: AccountDirectory['findByEmail']
  readonly changeAccount: ChangeAccount
}

export function makeWorkspaceCases(ports: Ports): WorkspaceCases {
  const forgetAccount = makeForgetAccount(ports)
  return {
    members: makeManageMembers({ ...ports, forgetAccount }),
    switchWorkspace: makeSwitchWorkspace({ ...ports, forgetAccount }),
    listWorkspaces: (accountId) => ports.memberships.list(accountId),
    owner: () => ports.accounts.owner(),
    findAccount: (email) => ports.accounts.findByEmail(normaliseEmail(email)),
    changeAccount: makeChangeAccount(ports),
  }
}
