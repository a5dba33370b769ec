import { errors, type JWTHeaderParameters, jwtVerify, SignJWT } from 'jose'
import type { Clock } from '#application/ports/clock.ts'
import type { ConsoleSession, ConsoleTokens } from '#application/ports/console-tokens.ts'

export type SigningKey = { readonly kid: string; readonly key: string }
export type ConsoleTokensSettings = { readonly keys: readonly SigningKey[]; readonly now: Clock }

const ALGORITHM = 'HS256'
const TYPE = 'JWT'
/** Audiences keep the readable CSRF cookie from ever serving as the session (RFC 8725 §3.9). */
const ACCESS = 'latchkey.console.access'
const CSRF = 'latchkey.console.csrf'

/**
 * HS256 JWTs of the console cookies.
 * @throws Error when `keys` is empty
 */
export function createConsoleTokens({ keys, now }: ConsoleTokensSettings): ConsoleTokens {
  const [first] = keys
  if (first === undefined) throw new Error('console tokens take a signing key')
  const secrets = new Map(keys.map(({ kid, key }) => [kid, new TextEncoder().encode(key)]))
  const signing = new TextEncoder().encode(first.key)
  const header = { alg: ALGORITHM, kid: first.kid, typ: TYPE }

  function sign(audience: string, { accountId, family }: ConsoleSession, expiresAtMs: number): Promise<string> {
    return new SignJWT({ sid: family })
      .setProtectedHeader(header)
      .setSubject(accountId)
      .setAudience(audience)
      .setIssuedAt(Math.floor(now() / 1000))
      .setExpirationTime(Math.floor(expiresAtMs / 1000))
      .sign(signing)
  }

  function secretOf({ kid }: JWTHeaderParameters): Uint8Array {
    const secret = kid === undefined ? undefined : secrets.get(kid)
    if (secret === undefined) throw new errors.JWKSNoMatchingKey()
    return secret
  }

  async function read(audience: string, token: string): Promise<ConsoleSession | null> {
    try {
      const { payload } = await jwtVerify(token, secretOf, {
        // Pinned: the header must not choose how it is verified (RFC 8725 §3.1).
        algorithms: [ALGORITHM],
        audience,
        typ: TYPE,
        requiredClaims: ['sub', 'sid', 'iat', 'exp'],
        currentDate: new Date(now()),
      })
      const { sub, sid } = payload
      if (typeof sub !== 'string' || typeof sid !== 'string') return null
      return { accountId: sub, family: sid }
    } catch (error) {
      if (error instanceof errors.JOSEError) return null
      throw error
    }
  }

  return {
    signAccess: (session, expiresAtMs) => sign(ACCESS, session, expiresAtMs),
    signCsrf: (session, expiresAtMs) => sign(CSRF, session, expiresAtMs),
    readAccess: (token) => read(ACCESS, token),
    readCsrf: (token) => read(CSRF, token),
  }
}
