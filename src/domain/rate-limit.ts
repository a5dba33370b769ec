import { networkOf } from './ip-network.ts'

/** One sliding window: at most `limit` admitted calls in any `windowMs`. */
export type Bucket = { readonly key: string; readonly limit: number; readonly windowMs: number }

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** How long until the oldest of the counted hits leaves the window; never 0, so a client never spins. */
export function retryAfterMs(oldestHitAtMs: number, windowMs: number, nowMs: number): number {
  return Math.max(1000, oldestHitAtMs + windowMs - nowMs)
}

export const limits = {
  deviceCode: (ip: string): Bucket => ({ key: `device-code:${networkOf(ip)}`, limit: 60, windowMs: HOUR_MS }),
  lookup: (ip: string): Bucket => ({ key: `lookup:${networkOf(ip)}`, limit: 60, windowMs: 5 * MINUTE_MS }),
  decide: (accountId: string, limit: number): Bucket => ({ key: `decide:${accountId}`, limit, windowMs: HOUR_MS }),
  ssoInitiate: (ip: string): Bucket => ({ key: `sso-initiate:${networkOf(ip)}`, limit: 60, windowMs: HOUR_MS }),
  ssoCallback: (ip: string): Bucket => ({ key: `sso-callback:${networkOf(ip)}`, limit: 60, windowMs: HOUR_MS }),
  decideExternal: (email: string, limit: number): Bucket => ({
    key: `decide-external:${email}`,
    limit,
    windowMs: HOUR_MS,
  }),
  account: (subjectKey: string): Bucket => ({ key: `account:${subjectKey}`, limit: 60, windowMs: MINUTE_MS }),
  bearer: (tokenHash: string, limit: number): Bucket => ({ key: `bearer:${tokenHash}`, limit, windowMs: MINUTE_MS }),
  init: (ip: string): Bucket => ({ key: `init:${networkOf(ip)}`, limit: 5, windowMs: 15 * MINUTE_MS }),
  login: (email: string, ip: string): Bucket => ({
    key: `login:${networkOf(ip)}:${email}`,
    limit: 5,
    windowMs: 15 * MINUTE_MS,
  }),
} as const
