import { DomainError } from '#domain/errors.ts'
import type { AccountDirectory } from '../ports/account-directory.ts'
import type { AuditLog } from '../ports/audit-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { DeviceFlowStore } from '../ports/device-flow-store.ts'
import type { ExternalDirectory } from '../ports/external-directory.ts'
import type { NonceGuard } from '../ports/nonce-guard.ts'
import type { RandomBytes } from '../ports/secrets.ts'
import { GRANT_LIFETIME_S, type SsoSealer } from '../ports/sso-sealer.ts'
import { pendingFlow } from './pending-flow.ts'
import { randomText } from './random-text.ts'

type Needs = {
  flows: DeviceFlowStore
  accounts: AccountDirectory
  externals: ExternalDirectory
  sealer: SsoSealer
  nonces: NonceGuard
  audit: AuditLog
  randomBytes: RandomBytes
  now: Clock
  settings: { readonly consoleApiUrl: string | null }
}

export type SsoCompletion =
  | { readonly kind: 'verified'; readonly sealedGrant: string }
  /** The email is an account's here: its owner signs in with the account, so that nobody is two subjects. */
  | { readonly kind: 'account_email' }
  /** The company has shut this person out. */
  | { readonly kind: 'blocked' }

/** The second half of an external sign-on: a one-time assertion becomes what this browser may approve. */
export type CompleteSso = (input: { readonly assertion: string | null; readonly ip: string }) => Promise<SsoCompletion>

/**
 * @throws DomainError `sso_assertion_required` | `console_api_url_unset` | `invalid_sso_assertion` |
 *   `user_code_not_pending`
 */
export function makeCompleteSso(needs: Needs): CompleteSso {
  const { flows, accounts, externals, sealer, nonces, audit, randomBytes, now, settings } = needs
  return async ({ assertion: sealed, ip }) => {
    if (sealed === null) throw new DomainError('sso_assertion_required', {})
    const { consoleApiUrl } = settings
    if (consoleApiUrl === null) throw new DomainError('console_api_url_unset', {})
    const assertion = await sealer.readAssertion(sealed)
    if (assertion === null || !(await nonces.spend('assertion', assertion.nonce))) {
      throw new DomainError('invalid_sso_assertion', {})
    }
    const pending = await pendingFlow(flows, assertion.userCode, now())
    if (pending === null) throw new DomainError('user_code_not_pending', {})
    const { email, issuer } = assertion
    if ((await accounts.findByEmail(email))?.status === 'active') {
      const facts = { reason: 'email_belongs_to_dify_account', clientId: pending.flow.clientId, ip }
      await audit.append({ event: 'oauth.device_flow_rejected', facts }, now())
      return { kind: 'account_email' }
    }
    if (await externals.isBlocked(issuer, email)) {
      const facts = { reason: 'external_subject_blocked', clientId: pending.flow.clientId, ip }
      await audit.append({ event: 'oauth.device_flow_rejected', facts }, now())
      return { kind: 'blocked' }
    }
    const grant = {
      email,
      issuer,
      userCode: pending.userCode,
      nonce: randomText(randomBytes, 16),
      csrfToken: randomText(randomBytes, 32),
      expiresAtMs: now() + GRANT_LIFETIME_S * 1000,
    }
    return { kind: 'verified', sealedGrant: await sealer.sealGrant(grant, consoleApiUrl) }
  }
}
