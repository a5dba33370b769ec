import type { MembershipDirectory } from '../ports/account-directory.ts'
import type { AppAccess } from './checks.ts'

/** Community access: members of the app's workspace, and nobody else. */
export function makeMembershipAccess(memberships: MembershipDirectory): AppAccess {
  return async ({ subject }, app) =>
    subject.type === 'account' && (await memberships.find(subject.accountId, app.workspaceId)) !== null
}
