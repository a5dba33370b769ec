import type { JWTPayload } from 'jose'
import {
  ASSERTION_LIFETIME_S,
  ENVELOPE_LIFETIME_S,
  GRANT_LIFETIME_S,
  type SsoSealer,
} from '#application/ports/sso-sealer.ts'
import {
  assertionClaims,
  envelopeClaims,
  grantClaims,
  readAssertion,
  readEnvelope,
  readGrant,
} from '#domain/external-sign-on.ts'
import { createSigningKeys, type SigningKeysSettings } from './signing-keys.ts'

const ENVELOPE = 'api.sso.state_envelope'
const ASSERTION = 'api.device_flow.external_subject_assertion'
const GRANT = 'api.device_flow.approval_grant'
/** How far the clock of another signer may be ahead or behind. */
const SKEW_S = 60

/**
 * Envelopes, assertions and grants as signed claims.
 * @throws Error when there is no key
 */
export function createSsoSealer(settings: SigningKeysSettings): SsoSealer {
  const keys = createSigningKeys(settings)
  const nowS = () => Math.floor(settings.now() / 1000)

  async function open(audience: string, sealed: string, lifetimeS: number): Promise<JWTPayload | null> {
    const claims = await keys.verify(sealed, { audience, requiredClaims: ['iat', 'exp'] })
    return claims !== null && isOfItsTime(claims, lifetimeS) ? claims : null
  }

  /** A signer that grants itself more time would outlive the memory of used nonces, and be replayed. */
  function isOfItsTime({ iat = 0 }: JWTPayload, lifetimeS: number): boolean {
    return iat <= nowS() + SKEW_S && nowS() < iat + lifetimeS + SKEW_S
  }

  return {
    sealEnvelope: (envelope) => keys.sign(ENVELOPE, envelopeClaims(envelope), nowS() + ENVELOPE_LIFETIME_S),
    async readEnvelope(sealed) {
      const claims = await open(ENVELOPE, sealed, ENVELOPE_LIFETIME_S)
      return claims === null ? null : readEnvelope(claims)
    },
    sealAssertion: (assertion) => keys.sign(ASSERTION, assertionClaims(assertion), nowS() + ASSERTION_LIFETIME_S),
    async readAssertion(sealed) {
      const claims = await open(ASSERTION, sealed, ASSERTION_LIFETIME_S)
      return claims === null ? null : readAssertion(claims)
    },
    sealGrant: (grant, issuedBy) =>
      keys.sign(GRANT, grantClaims(grant, issuedBy), Math.floor(grant.expiresAtMs / 1000)),
    async readGrant(sealed, issuedBy) {
      const claims = await open(GRANT, sealed, GRANT_LIFETIME_S)
      return claims === null ? null : readGrant(claims, issuedBy)
    },
  }
}
