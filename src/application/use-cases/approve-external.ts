import { DomainError } from '#domain/errors.ts'
import type { ApprovalGrant } from '#domain/external-sign-on.ts'
import { EXTERNAL_TOKEN } from '#domain/token-kind.ts'
import { normaliseUserCode } from '#domain/user-code.ts'
import type { AccountDirectory } from '../ports/account-directory.ts'
import type { NonceGuard } from '../ports/nonce-guard.ts'
import { requireFlowHash } from './decide-flow.ts'
import { type GrantFlowNeeds, makeGrantFlow } from './grant-flow.ts'

type Needs = GrantFlowNeeds & { accounts: AccountDirectory; nonces: NonceGuard }

export type ApproveExternal = (input: {
  readonly grant: ApprovalGrant
  /** What the page sent; null when it was no text. */
  readonly userCode: string | null
  readonly ip: string
}) => Promise<void>

/**
 * A person known only to the company's identity provider lets the device in, once.
 * @throws DomainError `user_code_mismatch` | `expired_or_unknown` | `user_code_not_pending` |
 *   `email_belongs_to_dify_account` | `session_already_consumed` | `state_lost`
 */
export function makeApproveExternal(needs: Needs): ApproveExternal {
  const { flows, accounts, nonces, audit, now } = needs
  const grantFlow = makeGrantFlow(needs)
  return async ({ grant, userCode, ip }) => {
    const typed = userCode === null ? null : normaliseUserCode(userCode)
    if (typed === null || typed !== normaliseUserCode(grant.userCode)) throw new DomainError('user_code_mismatch', {})
    const flowHash = await requireFlowHash(flows, typed)
    const flow = await flows.find(flowHash)
    if (flow === null) throw new DomainError('expired_or_unknown', {})
    if (flow.decision.status !== 'pending') throw new DomainError('user_code_not_pending', {})
    if ((await accounts.findByEmail(grant.email))?.status === 'active') {
      const facts = { reason: 'email_belongs_to_dify_account', clientId: flow.clientId, ip }
      await audit.append({ event: 'oauth.device_flow_rejected', facts }, now())
      throw new DomainError('email_belongs_to_dify_account', {})
    }
    if (!(await nonces.spend('grant', grant.nonce))) throw new DomainError('session_already_consumed', {})
    const subject = { type: 'external_sso', email: grant.email, issuer: grant.issuer } as const
    try {
      await grantFlow({ flowHash, kind: EXTERNAL_TOKEN, subject, workspaceId: async () => null, ip })
    } catch (error) {
      throw isLostRace(error) ? new DomainError('state_lost', {}, { cause: error }) : error
    }
  }
}

/** Whatever became of the code since it was looked at, somebody else was faster. */
function isLostRace(error: unknown): boolean {
  const codes: readonly string[] = ['expired_or_unknown', 'already_resolved', 'approve_in_progress']
  return error instanceof DomainError && codes.includes(error.code)
}
