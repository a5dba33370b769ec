/** Who a browser is signed in as. `family` names the sign-in, so that logout ends it on every replica. */
export type ConsoleSession = { readonly accountId: string; readonly family: string }

/** Signed, short-lived browser credentials (HS256 JWT); the first key signs, every configured key verifies. */
export interface ConsoleTokens {
  signAccess(session: ConsoleSession, expiresAtMs: number): Promise<string>
  signCsrf(session: ConsoleSession, expiresAtMs: number): Promise<string>
  /** Null for anything expired, tampered with, of another purpose or signed by an unknown key. */
  readAccess(token: string): Promise<ConsoleSession | null>
  readCsrf(token: string): Promise<ConsoleSession | null>
}
