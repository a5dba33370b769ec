import type { ApprovalGrant, StateEnvelope, SubjectAssertion } from '#domain/external-sign-on.ts'

/** Seconds. */
export const ENVELOPE_LIFETIME_S = 900
export const ASSERTION_LIFETIME_S = 300
export const GRANT_LIFETIME_S = 300

/**
 * Signs what passes through browsers during an external sign-on, each kind for its own audience. Reading answers
 * null for everything that is not whole: expired, for another purpose, signed by nobody we know, or malformed.
 */
export interface SsoSealer {
  sealEnvelope(envelope: StateEnvelope): Promise<string>
  readEnvelope(sealed: string): Promise<StateEnvelope | null>
  sealAssertion(assertion: SubjectAssertion): Promise<string>
  /** Also reads what an Enterprise service signed, which shares the key. */
  readAssertion(sealed: string): Promise<SubjectAssertion | null>
  /** `issuedBy` is this server's public origin; the grant ends at its `expiresAtMs`. */
  sealGrant(grant: ApprovalGrant, issuedBy: string): Promise<string>
  readGrant(sealed: string, issuedBy: string): Promise<ApprovalGrant | null>
}
