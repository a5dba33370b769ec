import { isEmail, normaliseEmail } from './email.ts'
import { ACCOUNT_ISSUER } from './subject.ts'

/** What the sign-on of one device flow is about; travels to the identity provider and back as `state`, signed. */
export type StateEnvelope = {
  readonly userCode: string
  readonly nonce: string
  /** Where an identity provider's bridge sends the browser back to. */
  readonly callbackUrl: string
}

/** Who a trusted bridge says has signed in, for one user code, once. */
export type SubjectAssertion = {
  readonly email: string
  readonly issuer: string
  readonly userCode: string
  readonly nonce: string
}

/** What this browser may approve, once: kept in its cookie, signed. */
export type ApprovalGrant = {
  readonly email: string
  readonly issuer: string
  readonly userCode: string
  readonly nonce: string
  readonly csrfToken: string
  readonly expiresAtMs: number
}

type Claims = Readonly<Record<string, unknown>>

/** The shape of a rightly signed payload is still the signer's; null when it is not ours to use. */
export function readEnvelope(claims: Claims): StateEnvelope | null {
  const userCode = text(claims.user_code, 32)
  const nonce = text(claims.nonce, 128)
  const callbackUrl = text(claims.idp_callback_url, 2048)
  if (claims.intent !== 'device_flow' || userCode === null || nonce === null || callbackUrl === null) return null
  return { userCode, nonce, callbackUrl }
}

/** As `readEnvelope`. */
export function readAssertion(claims: Claims): SubjectAssertion | null {
  const email = emailOf(claims.email)
  const issuer = issuerOf(claims.issuer)
  const userCode = text(claims.user_code, 32)
  const nonce = text(claims.nonce, 128)
  if (email === null || issuer === null || userCode === null || nonce === null) return null
  return { email, issuer, userCode, nonce }
}

/** As `readEnvelope`; `iss` must be `issuedBy`, this server's own origin. */
export function readGrant(claims: Claims, issuedBy: string): ApprovalGrant | null {
  const assertion = readAssertion({ ...claims, email: claims.subject_email, issuer: claims.subject_issuer })
  const csrfToken = text(claims.csrf_token, 128)
  if (assertion === null || csrfToken === null || claims.iss !== issuedBy) return null
  if (typeof claims.exp !== 'number') return null
  return { ...assertion, csrfToken, expiresAtMs: claims.exp * 1000 }
}

export function envelopeClaims({ userCode, nonce, callbackUrl }: StateEnvelope): Claims {
  return {
    redirect_url: '',
    app_code: '',
    intent: 'device_flow',
    user_code: userCode,
    nonce,
    return_to: '',
    idp_callback_url: callbackUrl,
  }
}

export function assertionClaims({ email, issuer, userCode, nonce }: SubjectAssertion): Claims {
  return { email, issuer, user_code: userCode, nonce }
}

export function grantClaims({ email, issuer, userCode, nonce, csrfToken }: ApprovalGrant, issuedBy: string): Claims {
  return {
    iss: issuedBy,
    subject_email: email,
    subject_issuer: issuer,
    user_code: userCode,
    nonce,
    csrf_token: csrfToken,
  }
}

function text(value: unknown, maxLength: number): string | null {
  const isText = typeof value === 'string' && value.isWellFormed() && !value.includes('\0')
  return isText && value.length >= 1 && value.length <= maxLength ? value : null
}

function emailOf(value: unknown): string | null {
  const email = text(value, 1000)
  return email !== null && isEmail(email) ? normaliseEmail(email) : null
}

/** Blanks alone would pass for an issuer in a length check, but name nobody; our own accounts come from nowhere else. */
function issuerOf(value: unknown): string | null {
  const issuer = text(value, 255)
  return issuer === null || issuer.trim() === '' || issuer.trim() === ACCOUNT_ISSUER ? null : issuer
}
