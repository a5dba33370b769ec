import type { SignedOn } from '#application/ports/identity-bridge.ts'
import { isEmail } from '#domain/email.ts'

type Claims = Readonly<Record<string, unknown>>

/** What the provider said, or the reason why that vouches for nobody; the reason quotes nothing. */
export type Vouching =
  | { readonly person: SignedOn; readonly refused?: undefined }
  | { readonly refused: string; readonly person?: undefined }

const MAX_GROUPS = 200
/** Characters, of a group and of the provider's name for a person (OpenID Connect Core §2). */
const MAX_LENGTH = 255
const MAX_EMAIL_LENGTH = 320
const ENTRA = /^https:\/\/login\.(?:microsoftonline\.(?:com|us)|partner\.microsoftonline\.cn)\//

/**
 * Reads the person out of verified claims. An email counts only with the provider's word that the person receives it:
 * where people type their own, anybody could otherwise come as anybody.
 */
export function readPerson(claims: Claims, { issuer, groupsClaim }: { issuer: string; groupsClaim: string }): Vouching {
  const { sub, email } = claims
  if (!isPlainText(sub)) return { refused: 'no usable sub' }
  if (typeof email !== 'string' || email.trim() === '') return { refused: 'no email' }
  if (!isEmail(email) || !isPlainText(email.trim(), MAX_EMAIL_LENGTH)) return { refused: 'email is none' }
  if (!isVerified(claims, issuer)) return { refused: 'email is not verified' }
  return { person: { issuer, email, sub, groups: groupsOf(claims[groupsClaim]) } }
}

/** `"true"` is no `true`. Entra never sends the standard claim, but says whether it has verified the domain's owner. */
function isVerified({ email_verified, xms_edov }: Claims, issuer: string): boolean {
  if (email_verified !== undefined) return email_verified === true
  return ENTRA.test(issuer) && (xms_edov === true || xms_edov === 1 || xms_edov === '1')
}

/** More, longer or other ones are left out: a group only ever opens something. */
function groupsOf(claim: unknown): readonly string[] {
  const listed: readonly unknown[] = Array.isArray(claim) ? claim : [claim]
  const groups = listed.filter((group) => isPlainText(group))
  return [...new Set(groups)].slice(0, MAX_GROUPS)
}

/** Text that every store keeps and every page shows as it is. */
function isPlainText(value: unknown, maxLength = MAX_LENGTH): value is string {
  if (typeof value !== 'string' || value.length === 0 || value.length > maxLength) return false
  return value.isWellFormed() && !/\p{Cc}/u.test(value)
}
