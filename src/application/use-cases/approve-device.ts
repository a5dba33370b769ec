import { ACCOUNT_TOKEN } from '#domain/token-kind.ts'
import { type Account, defaultWorkspaceId } from '#domain/workspace.ts'
import type { MembershipDirectory } from '../ports/account-directory.ts'
import { requireFlowHash } from './decide-flow.ts'
import { type GrantFlowNeeds, makeGrantFlow } from './grant-flow.ts'

type Needs = GrantFlowNeeds & { memberships: MembershipDirectory }

export type ApproveDevice = (input: {
  readonly account: Account
  readonly userCode: string
  readonly ip: string
}) => Promise<void>

/**
 * A signed-in person lets the device in.
 * @throws DomainError `expired_or_unknown` | `already_resolved` | `approve_in_progress` | `state_lost`
 */
export function makeApproveDevice(needs: Needs): ApproveDevice {
  const grantFlow = makeGrantFlow(needs)
  return async ({ account, userCode, ip }) =>
    grantFlow({
      flowHash: await requireFlowHash(needs.flows, userCode),
      kind: ACCOUNT_TOKEN,
      subject: { type: 'account', accountId: account.id, email: account.email },
      workspaceId: async () => defaultWorkspaceId(await needs.memberships.list(account.id)),
      ip,
    })
}
