import type { DeviceFlowState } from '#domain/device-flow-state.ts'
import { MAX_PAGE_LIMIT } from '#domain/page.ts'
import type { Scope } from '#domain/scope.ts'
import { ACCOUNT_TOKEN } from '#domain/token-kind.ts'
import { expiryOf } from '#domain/ttl-policy.ts'
import { type Account, defaultWorkspaceId } from '#domain/workspace.ts'
import type { MembershipDirectory } from '../ports/account-directory.ts'
import type { Clock } from '../ports/clock.ts'
import type { TokenStore } from '../ports/token-store.ts'

type Needs = {
  memberships: MembershipDirectory
  tokens: TokenStore
  now: Clock
  settings: { readonly tokenTtlDays: number }
}

/** What a person must know before letting a device in (RFC 8628 §5.4). */
export type ApprovalPreview = {
  /** Null when the person is in none. */
  readonly workspaceName: string | null
  readonly scopes: readonly Scope[]
  readonly expiresAtMs: number
  /** A terminal of the same client and name is signed in, and would be signed out. */
  readonly replacesSession: boolean
}

export type PreviewApproval = (account: Account, flow: DeviceFlowState) => Promise<ApprovalPreview>

/** What approving `flow` now would grant to `account`; changes nothing. */
export function makePreviewApproval({ memberships, tokens, now, settings }: Needs): PreviewApproval {
  return async (account, flow) => {
    const joined = await memberships.list(account.id)
    const workspace = joined.find(({ workspaceId }) => workspaceId === defaultWorkspaceId(joined))
    const subject = { type: 'account', accountId: account.id, email: account.email } as const
    const live = await tokens.listLive(subject, { page: 1, limit: MAX_PAGE_LIMIT }, now())
    return {
      workspaceName: workspace?.name ?? null,
      scopes: ACCOUNT_TOKEN.scopes,
      expiresAtMs: expiryOf(now(), settings.tokenTtlDays),
      replacesSession: live.data.some(
        ({ clientId, deviceLabel }) => clientId === flow.clientId && deviceLabel === flow.deviceLabel,
      ),
    }
  }
}
