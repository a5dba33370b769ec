import type { Scope } from '#domain/scope.ts'

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const INSTANT = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })

/** An instant for people, in UTC since nobody told us their zone. */
export function instantInWords(atMs: number): string {
  return `${INSTANT.format(atMs)} UTC`
}

/** How long ago something happened. */
export function ageInWords(sinceMs: number, nowMs: number): string {
  const ageMs = Math.max(0, nowMs - sinceMs)
  return ageMs < MINUTE_MS ? 'less than a minute ago' : `${counted(ageMs, Math.floor)} ago`
}

/** How long to wait, rounded up: an early retry would be refused again. */
export function waitInWords(ms: number): string {
  return counted(ms, Math.ceil)
}

function counted(ms: number, round: (count: number) => number): string {
  const [unitMs, unit] = unitOf(ms)
  const count = round(ms / unitMs)
  return count === 1 ? `1 ${unit}` : `${count} ${unit}s`
}

function unitOf(ms: number): readonly [number, string] {
  if (ms < MINUTE_MS) return [SECOND_MS, 'second']
  if (ms < HOUR_MS) return [MINUTE_MS, 'minute']
  return ms < DAY_MS ? [HOUR_MS, 'hour'] : [DAY_MS, 'day']
}

const PERMISSIONS: { readonly [S in Scope]: readonly string[] } = {
  full: ['see your account, your workspaces and your terminals', 'list and run the apps that you may use'],
  'apps:read': ['list apps and read how they are used'],
  'apps:run': ['run apps'],
  'apps:read:permitted': ['list the apps that you may use'],
}

/** What a token with `scopes` may do. */
export function permissionsInWords(scopes: readonly Scope[]): readonly string[] {
  return scopes.flatMap((scope) => PERMISSIONS[scope])
}
