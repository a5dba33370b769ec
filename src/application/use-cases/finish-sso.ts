import { normaliseEmail } from '#domain/email.ts'
import { DomainError } from '#domain/errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { ExternalDirectory } from '../ports/external-directory.ts'
import type { IdentityBridge } from '../ports/identity-bridge.ts'
import type { SsoSealer } from '../ports/sso-sealer.ts'

type Needs = {
  bridge: IdentityBridge | null
  externals: ExternalDirectory
  sealer: SsoSealer
  now: Clock
  settings: { readonly consoleApiUrl: string | null }
}

/** Path of the route that a provider sends the browser back to when this server is the bridge. */
export const SSO_CALLBACK_PATH = '/openapi/v1/oauth/device/sso-callback'

/** The provider has sent the browser back: who signed in, as the assertion that completes the sign-on. */
export type FinishSso = (callback: {
  /** The query that the provider sent, `state` included. */
  readonly query: URLSearchParams
  /** Names the browser that comes back; null when it never set out. */
  readonly browser: string | null
}) => Promise<string>

/**
 * Only for a bridge of our own: others sign their assertions themselves.
 * @throws DomainError `not_found` | `console_api_url_unset` | `invalid_sso_assertion` | `enterprise_failed`
 */
export function makeFinishSso({ bridge, externals, sealer, now, settings }: Needs): FinishSso {
  return async ({ query, browser }) => {
    const finish = bridge?.finish ?? null
    if (finish === null) throw new DomainError('not_found', {})
    if (settings.consoleApiUrl === null) throw new DomainError('console_api_url_unset', {})
    const state = query.get('state')
    const envelope = state === null ? null : await sealer.readEnvelope(state)
    if (state === null || envelope === null || browser === null) throw new DomainError('invalid_sso_assertion', {})
    const person = await finish({ query, sealedEnvelope: state, browser })
    if (person === null) throw new DomainError('invalid_sso_assertion', {})
    await externals.noteSignOn({ ...person, email: normaliseEmail(person.email) }, now())
    // The envelope's own nonce: one sign-on yields one assertion, however often its callback is replayed.
    const { email, issuer } = person
    return sealer.sealAssertion({ email, issuer, userCode: envelope.userCode, nonce: envelope.nonce })
  }
}
