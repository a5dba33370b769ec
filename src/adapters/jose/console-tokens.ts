import type { ConsoleSession, ConsoleTokens } from '#application/ports/console-tokens.ts'
import { createSigningKeys, type SigningKeysSettings } from './signing-keys.ts'

/** Audiences keep the readable CSRF cookie from ever serving as the session (RFC 8725 §3.9). */
const ACCESS = 'latchkey.console.access'
const CSRF = 'latchkey.console.csrf'

/**
 * JWTs of the console cookies.
 * @throws Error when there is no key
 */
export function createConsoleTokens(settings: SigningKeysSettings): ConsoleTokens {
  const keys = createSigningKeys(settings)

  const sign = (audience: string, { accountId, family }: ConsoleSession, expiresAtMs: number) =>
    keys.sign(audience, { sid: family, sub: accountId }, Math.floor(expiresAtMs / 1000))

  async function read(audience: string, token: string): Promise<ConsoleSession | null> {
    const claims = await keys.verify(token, { audience, typ: 'JWT', requiredClaims: ['sub', 'sid', 'iat', 'exp'] })
    if (typeof claims?.sub !== 'string' || typeof claims.sid !== 'string') return null
    return { accountId: claims.sub, family: claims.sid }
  }

  return {
    signAccess: (session, expiresAtMs) => sign(ACCESS, session, expiresAtMs),
    signCsrf: (session, expiresAtMs) => sign(CSRF, session, expiresAtMs),
    readAccess: (token) => read(ACCESS, token),
    readCsrf: (token) => read(CSRF, token),
  }
}
