import { DomainError } from '#domain/errors.ts'
import type { ApprovalGrant } from '#domain/external-sign-on.ts'
import { limits } from '#domain/rate-limit.ts'
import type { IdentityBridge } from '../ports/identity-bridge.ts'
import type { SameSecret } from '../ports/secrets.ts'
import type { SsoSealer } from '../ports/sso-sealer.ts'
import type { Spend } from './spend.ts'

/** What a browser sent after an external sign-on, before anyone believed it. */
export type GrantClaims = {
  readonly sealedGrant: string | null
  readonly csrfHeader: string | null
  readonly ip: string
}

type Needs = {
  bridge: IdentityBridge | null
  sealer: SsoSealer
  sameSecret: SameSecret
  spend: Spend
  settings: {
    readonly consoleApiUrl: string | null
    readonly bearerEnabled: boolean
    readonly decidePerHour: number
  }
}

export type ApprovalGuards = {
  /**
   * Nobody learns from the answer whether this server could do external sign-on.
   * @throws DomainError `not_found` unless the licence is in force
   */
  licensed(): Promise<void>
  /** @throws DomainError `no_session` | `invalid_session` */
  holdsGrant(claims: GrantClaims): Promise<ApprovalGrant>
  /**
   * What stands before an approval by its holder, in the order the answers promise.
   * @throws DomainError `no_session` | `invalid_session` | `bearer_auth_disabled` | `rate_limited` | `grant_csrf_mismatch`
   */
  mayApprove(claims: GrantClaims): Promise<ApprovalGrant>
}

const IN_FORCE: readonly (string | null)[] = ['active', 'expiring']

/** Whether a licence of that status lets people sign on; one of the future does not. */
export function isInForce(licenseStatus: string | null): boolean {
  return IN_FORCE.includes(licenseStatus)
}

/** Guards of the routes that follow an external sign-on. */
export function makeApprovalGuards({ bridge, sealer, sameSecret, spend, settings }: Needs): ApprovalGuards {
  async function holdsGrant({ sealedGrant }: GrantClaims): Promise<ApprovalGrant> {
    if (sealedGrant === null) throw new DomainError('no_session', {})
    const { consoleApiUrl } = settings
    const grant = consoleApiUrl === null ? null : await sealer.readGrant(sealedGrant, consoleApiUrl)
    if (grant === null) throw new DomainError('invalid_session', {})
    return grant
  }

  return {
    async licensed() {
      if (!isInForce((await bridge?.licenseStatus()) ?? null)) throw new DomainError('not_found', {})
    },
    holdsGrant,
    async mayApprove(claims) {
      const grant = await holdsGrant(claims)
      if (!settings.bearerEnabled) throw new DomainError('bearer_auth_disabled', {})
      await spend(limits.decideExternal(grant.email, settings.decidePerHour), { ip: claims.ip, accountId: null })
      if (claims.csrfHeader === null || !sameSecret(claims.csrfHeader, grant.csrfToken)) {
        throw new DomainError('grant_csrf_mismatch', {})
      }
      return grant
    },
  }
}
