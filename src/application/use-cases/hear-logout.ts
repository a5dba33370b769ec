import { DomainError } from '#domain/errors.ts'
import type { ExternalDirectory } from '../ports/external-directory.ts'
import type { IdentityBridge } from '../ports/identity-bridge.ts'
import type { NonceGuard } from '../ports/nonce-guard.ts'
import type { ChangeExternal } from './change-external.ts'

type Needs = {
  bridge: IdentityBridge | null
  externals: ExternalDirectory
  nonces: NonceGuard
  changeExternal: Pick<ChangeExternal, 'signOut'>
}

/**
 * The provider says that a person has signed out there (OpenID Connect Back-Channel Logout 1.0): their tokens end here.
 * @throws DomainError `not_found` for a bridge that hears of none | `invalid_request` | `enterprise_failed`
 */
export type HearLogout = (logoutToken: string) => Promise<void>

export function makeHearLogout({ bridge, externals, nonces, changeExternal }: Needs): HearLogout {
  return async (logoutToken) => {
    const readLogout = bridge?.readLogout ?? null
    if (readLogout === null) throw new DomainError('not_found', {})
    const notice = await readLogout(logoutToken)
    if (notice === null) throw refused()
    const { issuer, sub, id } = notice
    const emails = await externals.emailsOf(issuer, sub)
    // Once: a notice that somebody kept must not end what the person signs on for later.
    const nonce = `${issuer} ${id}`
    if (!(await nonces.spend('logout', nonce))) throw refused()
    try {
      for (const email of emails) await changeExternal.signOut({ email, issuer }, 'backchannel_logout')
    } catch (error) {
      // Who signed out there must not stay signed in here for a fault of ours: the provider can say it again.
      await nonces.giveBack('logout', nonce)
      throw error
    }
  }
}

/** One answer for every reason: the sender is anybody. */
function refused(): DomainError {
  return new DomainError('invalid_request', { description: 'logout_token is not valid' })
}
