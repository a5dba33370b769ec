const DAY_MS = 86_400_000

/** When a token minted at `nowMs` expires. */
export function expiryOf(nowMs: number, ttlDays: number): number {
  return nowMs + ttlDays * DAY_MS
}
