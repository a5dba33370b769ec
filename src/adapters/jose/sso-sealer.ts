import { errors, type JWTHeaderParameters, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import type { Clock } from '#application/ports/clock.ts'
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
import type { SigningKey } from './console-tokens.ts'

export type SsoSealerSettings = { readonly keys: readonly SigningKey[]; readonly now: Clock }

const ALGORITHM = 'HS256'
const ENVELOPE = 'api.sso.state_envelope'
const ASSERTION = 'api.device_flow.external_subject_assertion'
const GRANT = 'api.device_flow.approval_grant'
/** How far the clock of another signer may be ahead or behind. */
const SKEW_S = 60

/**
 * Compact JWS with HS256. The first key signs, all of them verify, each under its own `kid`.
 * @throws Error when `keys` is empty
 */
export function createSsoSealer({ keys, now }: SsoSealerSettings): SsoSealer {
  const [first] = keys
  if (first === undefined) throw new Error('the sealer takes a signing key')
  const secrets = new Map(keys.map(({ kid, key }) => [kid, new TextEncoder().encode(key)]))
  const signing = new TextEncoder().encode(first.key)
  const nowS = () => Math.floor(now() / 1000)

  function seal(audience: string, claims: JWTPayload, expiresAtS: number): Promise<string> {
    return new SignJWT(claims)
      .setProtectedHeader({ alg: ALGORITHM, kid: first?.kid ?? '', typ: 'JWT' })
      .setAudience(audience)
      .setIssuedAt(nowS())
      .setExpirationTime(expiresAtS)
      .sign(signing)
  }

  function secretOf({ kid }: JWTHeaderParameters): Uint8Array {
    const secret = kid === undefined ? undefined : secrets.get(kid)
    if (secret === undefined) throw new errors.JWKSNoMatchingKey()
    return secret
  }

  async function open(audience: string, sealed: string, lifetimeS: number): Promise<JWTPayload | null> {
    try {
      const { payload } = await jwtVerify(sealed, secretOf, {
        // Pinned: the header must not choose how it is verified (RFC 8725 §3.1).
        algorithms: [ALGORITHM],
        audience,
        requiredClaims: ['iat', 'exp'],
        currentDate: new Date(now()),
      })
      return isOfItsTime(payload, lifetimeS) ? payload : null
    } catch (error) {
      if (error instanceof errors.JOSEError) return null
      throw error
    }
  }

  /** A signer that grants itself more time would outlive the memory of used nonces, and be replayed. */
  function isOfItsTime({ iat = 0 }: JWTPayload, lifetimeS: number): boolean {
    return iat <= nowS() + SKEW_S && nowS() < iat + lifetimeS + SKEW_S
  }

  return {
    sealEnvelope: (envelope) => seal(ENVELOPE, envelopeClaims(envelope), nowS() + ENVELOPE_LIFETIME_S),
    async readEnvelope(sealed) {
      const claims = await open(ENVELOPE, sealed, ENVELOPE_LIFETIME_S)
      return claims === null ? null : readEnvelope(claims)
    },
    sealAssertion: (assertion) => seal(ASSERTION, assertionClaims(assertion), nowS() + ASSERTION_LIFETIME_S),
    async readAssertion(sealed) {
      const claims = await open(ASSERTION, sealed, ASSERTION_LIFETIME_S)
      return claims === null ? null : readAssertion(claims)
    },
    sealGrant: (grant, issuedBy) => seal(GRANT, grantClaims(grant, issuedBy), Math.floor(grant.expiresAtMs / 1000)),
    async readGrant(sealed, issuedBy) {
      const claims = await open(GRANT, sealed, GRANT_LIFETIME_S)
      return claims === null ? null : readGrant(claims, issuedBy)
    },
  }
}
