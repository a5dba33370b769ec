import { errors, type JWTHeaderParameters, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import type { Clock } from '#application/ports/clock.ts'

export type SigningKey = { readonly kid: string; readonly key: string }
export type SigningKeysSettings = { readonly keys: readonly SigningKey[]; readonly now: Clock }

/** What a token must say beyond a good signature and a time that is now. */
export type Wanted = {
  readonly audience: string
  readonly requiredClaims: readonly string[]
  readonly typ?: string
}

/** Signs and verifies compact JWS with HS256. */
export type SigningKeys = {
  /** `claims` for `audience`, signed now. */
  sign(audience: string, claims: JWTPayload, expiresAtS: number): Promise<string>
  /** The claims; null when any of it is not as wanted. */
  verify(token: string, wanted: Wanted): Promise<JWTPayload | null>
}

const ALGORITHM = 'HS256'
const TYPE = 'JWT'

/**
 * Keys that can be changed: the first signs, all of them verify, each under its own `kid`.
 * @throws Error when `keys` is empty
 */
export function createSigningKeys({ keys, now }: SigningKeysSettings): SigningKeys {
  const [first] = keys
  if (first === undefined) throw new Error('there is no signing key')
  const secrets = new Map(keys.map(({ kid, key }) => [kid, new TextEncoder().encode(key)]))
  const signing = new TextEncoder().encode(first.key)
  const header = { alg: ALGORITHM, kid: first.kid, typ: TYPE }

  function secretOf({ kid }: JWTHeaderParameters): Uint8Array {
    const secret = kid === undefined ? undefined : secrets.get(kid)
    if (secret === undefined) throw new errors.JWKSNoMatchingKey()
    return secret
  }

  return {
    sign: (audience, claims, expiresAtS) =>
      new SignJWT(claims)
        .setProtectedHeader(header)
        .setAudience(audience)
        .setIssuedAt(Math.floor(now() / 1000))
        .setExpirationTime(expiresAtS)
        .sign(signing),

    async verify(token, { requiredClaims, ...wanted }) {
      try {
        const { payload } = await jwtVerify(token, secretOf, {
          ...wanted,
          // Pinned: the header must not choose how it is verified (RFC 8725 §3.1).
          algorithms: [ALGORITHM],
          requiredClaims: [...requiredClaims],
          currentDate: new Date(now()),
        })
        return payload
      } catch (error) {
        if (error instanceof errors.JOSEError) return null
        throw error
      }
    },
  }
}
