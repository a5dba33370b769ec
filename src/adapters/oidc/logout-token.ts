import type { JWTPayload } from 'jose'
import type { LogoutNotice } from '#application/ports/identity-bridge.ts'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const MAX_LENGTH = 255

/** The rest of OpenID Connect Back-Channel Logout 1.0 §2.6, for claims that are verified: null when they are no such notice. */
export function readLogoutNotice(claims: JWTPayload, issuer: string): LogoutNotice | null {
  const { sub, jti, events } = claims
  // An ID token is signed with the same key; what the browser holds must sign nobody out.
  if ('nonce' in claims || !isName(sub) || !isName(jti)) return null
  if (typeof events !== 'object' || events === null || !(EVENT in events)) return null
  const event: unknown = Reflect.get(events, EVENT)
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return null
  return { issuer, sub, id: jti }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length >= 1 && value.length <= MAX_LENGTH
}
