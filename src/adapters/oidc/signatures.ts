import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose'
import type { Clock } from '#application/ports/clock.ts'

type Needs = { readKeys: () => Promise<JSONWebKeySet>; now: Clock }
type Kept = { readonly keys: Promise<JSONWebKeySet>; readonly readAtMs: number }

/**
 * The claims of a token that the provider has signed.
 * @throws JOSEError when it has not, or `options` are not met
 */
export type Verify = (
  token: string,
  options: Omit<JWTVerifyOptions, 'algorithms' | 'currentDate'>,
) => Promise<JWTPayload>

/** Asymmetric ones only: with `HS256` the public key would do for a secret (RFC 8725 §2.1). */
const ALGORITHMS = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ')
/** A key that the provider takes back is not trusted for longer. */
const KEPT_MS = 600_000
/** Between two looks for a key that is unknown: whoever sends tokens must not make us ask at will. */
const COOLDOWN_MS = 30_000
/** Seconds that clocks may differ by. */
export const CLOCK_SKEW_S = 60

/** Verifies with the provider's keys, which are read anew, once, when none of them fits: providers change theirs. */
export function makeVerify({ readKeys, now }: Needs): Verify {
  let kept: Kept | null = null

  function keysNoOlderThan(ageMs: number): Promise<JSONWebKeySet> {
    if (kept !== null && now() < kept.readAtMs + ageMs) return kept.keys
    const reading: Kept = { keys: readKeys(), readAtMs: now() }
    kept = reading
    reading.keys.catch(() => {
      if (kept === reading) kept = null
    })
    return reading.keys
  }

  return async (token, options) => {
    const verify = async (keys: JSONWebKeySet) => {
      const how = { ...options, algorithms: ALGORITHMS, clockTolerance: CLOCK_SKEW_S, currentDate: new Date(now()) }
      return (await jwtVerify(token, createLocalJWKSet(keys), how)).payload
    }
    const keys = await keysNoOlderThan(KEPT_MS)
    try {
      return await verify(keys)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      const newer = await keysNoOlderThan(COOLDOWN_MS)
      if (newer === keys) throw error
      return verify(newer)
    }
  }
}
