const AGO = /^(\d{1,6})([smhd])$/
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
/** A date, or an instant that names its zone: the operator's own zone must not decide what a command means. */
const ISO = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/

/** The instant that `90m`, `24h`, `7d`, a date or an ISO 8601 instant means, or null when it means none. */
export function parseSince(text: string, nowMs: number): number | null {
  const [, count, unit = ''] = AGO.exec(text) ?? []
  if (count !== undefined) return nowMs - Number(count) * (UNIT_MS[unit] ?? 0)
  if (!ISO.test(text)) return null
  const atMs = Date.parse(text)
  return Number.isNaN(atMs) ? null : atMs
}
