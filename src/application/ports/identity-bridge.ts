import type { SignOn } from './external-directory.ts'

/** The provider's word for who signed in. */
export type SignedOn = SignOn

/**
 * Checks what the provider sent the browser back with: null unless it vouches for a person with a verified email, to
 * the very browser that set out with `sealedEnvelope`.
 * @throws DomainError `enterprise_failed` when the provider cannot be asked
 */
export type FinishSignOn = (callback: {
  readonly query: URLSearchParams
  readonly sealedEnvelope: string
  readonly browser: string
}) => Promise<SignedOn | null>

/** The provider's word that a person has signed out there. */
export type LogoutNotice = {
  readonly issuer: string
  /** The provider's own name for the person. */
  readonly sub: string
  /** Names this notice, so that it counts once. */
  readonly id: string
}

/**
 * Reads what the provider, or anybody, sent as a notice: null unless the provider signed it, for us, just now.
 * @throws DomainError `enterprise_failed` when its keys cannot be read
 */
export type ReadLogout = (token: string) => Promise<LogoutNotice | null>

/**
 * The way to a company's identity provider: an Enterprise service that talks to it, or the provider itself.
 * Absent on the Community edition.
 */
export interface IdentityBridge {
  /**
   * Whether external sign-on is licensed: `active` and `expiring` are. Anything else, and null for a licence that
   * cannot be read, is not.
   */
  licenseStatus(): Promise<string | null>
  /** How people sign in there, for the pages; "" when unknown. */
  protocol(): Promise<string>
  /**
   * Where to send the browser for the sign-on that `sealedEnvelope` is about; null when the bridge named no place.
   * `browser` names the browser that asks, so that no other can finish.
   * @throws DomainError `enterprise_failed` when the bridge cannot be asked
   */
  signOnUrl(sealedEnvelope: string, browser: string): Promise<string | null>
  /** Null when the bridge sends the browser back with an assertion that it signed itself. */
  readonly finish: FinishSignOn | null
  /** Null when the bridge passes no such notices on. */
  readonly readLogout: ReadLogout | null
}
