const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** How long from `nowMs` until the next `hourUtc` o'clock UTC; a whole day when it strikes just now. */
export function untilHourUtcMs(hourUtc: number, nowMs: number): number {
  const sinceMs = (nowMs - hourUtc * HOUR_MS) % DAY_MS
  return DAY_MS - sinceMs
}
