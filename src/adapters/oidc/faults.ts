import { errors } from 'jose'
import {
  AuthorizationResponseError,
  ClientError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client'

/** What the library calls an answer that could be read, and does not hold. */
const REFUSALS: readonly unknown[] = [
  'OAUTH_INVALID_RESPONSE',
  'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
  'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
  'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED',
  'OAUTH_UNSUPPORTED_OPERATION',
]

/** Characters of one message: it may quote what was received. */
const MAX_LENGTH = 200

/** Why nobody is vouched for, when the provider or a check says no; null when the provider cannot be asked. */
export function refusalOf(error: unknown): string | null {
  if (error instanceof errors.JOSEError) return error.code
  if (error instanceof AuthorizationResponseError) return 'the provider says no'
  if (error instanceof ResponseBodyError) return error.error === 'invalid_grant' ? error.error : null
  return error instanceof ClientError && REFUSALS.includes(error.code) ? String(error.code) : null
}

/** What may be logged of a fault: the library keeps answers, tokens among them, beside its messages. */
export function faultOf(error: unknown): Error {
  const words: string[] = []
  for (let at: unknown = error; at instanceof Error && words.length < 5; at = at.cause) {
    words.push(
      at instanceof ResponseBodyError || at instanceof WWWAuthenticateChallengeError
        ? `status ${at.status}`
        : at.message.slice(0, MAX_LENGTH),
    )
    // RFC 6749 §5.2: a word, where it is one.
    if (at instanceof ResponseBodyError && /^\w{1,40}$/.test(at.error)) words.push(at.error)
  }
  return new Error(words.join(': ') || 'unknown')
}
