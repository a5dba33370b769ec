import * as v from 'valibot'
import type { CacheRead } from '#application/ports/token-cache.ts'
import type { AuthContext } from '#domain/auth-context.ts'
import { StoredSubject } from './stored-subject.ts'

/** Known bad: a miss in the database, or a token that was revoked. */
export const INVALID = 'invalid'
/** Unknown, and not to be refilled by a reader from before a change. */
export const FORGOTTEN = 'forgotten'

const Context = v.object({
  subject: StoredSubject,
  clientId: v.string(),
  scopes: v.array(v.picklist(['full', 'apps:read', 'apps:run', 'apps:read:permitted'])),
  tokenId: v.string(),
  tokenHash: v.string(),
  source: v.string(),
  expiresAtMs: v.number(),
  account: v.nullable(
    v.object({
      id: v.string(),
      email: v.string(),
      name: v.string(),
      status: v.picklist(['pending', 'uninitialized', 'active', 'banned', 'closed']),
    }),
  ),
  memberships: v.array(
    v.object({
      workspaceId: v.string(),
      name: v.string(),
      status: v.picklist(['normal', 'archive']),
      role: v.picklist(['owner', 'admin', 'editor', 'normal']),
      current: v.boolean(),
      createdAtMs: v.number(),
    }),
  ),
  // A verdict that is not a boolean counts as unknown; it must not spoil the others.
  verifiedWorkspaces: v.pipe(v.record(v.string(), v.unknown()), v.transform(onlyBooleans)),
  cacheEntryId: v.string(),
})

const Entry = v.pipe(v.string(), v.parseJson(), Context)

/** What the stored `raw` says of the token `tokenHash`; whatever cannot be read whole is a miss. */
export function readEntry(raw: string | null, tokenHash: string): CacheRead {
  if (raw === INVALID) return { kind: 'invalid' }
  if (raw === null || raw === FORGOTTEN) return { kind: 'miss' }
  const read = v.safeParse(Entry, raw)
  // An entry under another token's key must not lend its identity.
  return read.success && read.output.tokenHash === tokenHash ? { kind: 'hit', context: read.output } : { kind: 'miss' }
}

/** Contexts kept parsed at most. */
const MAX_KNOWN = 10_000

/**
 * `readEntry` that parses a stored value once. What Redis says decides as before: only the very text that was parsed
 * the last time is answered with what it meant then.
 */
export function makeEntryReader(): typeof readEntry {
  const known = new Map<string, { readonly raw: string; readonly read: CacheRead }>()
  return (raw, tokenHash) => {
    const last = known.get(tokenHash)
    if (last !== undefined && last.raw === raw) return last.read
    const read = readEntry(raw, tokenHash)
    if (raw === null || read.kind !== 'hit') return read
    if (known.size >= MAX_KNOWN) known.clear()
    known.set(tokenHash, { raw, read })
    return read
  }
}

export function writeEntry(context: AuthContext): string {
  return JSON.stringify(context)
}

export function cacheKey(prefix: string, tokenHash: string): string {
  return `${prefix}token:{${tokenHash}}`
}

function onlyBooleans(verdicts: Record<string, unknown>): Record<string, boolean> {
  const kept: [string, boolean][] = []
  for (const [id, verdict] of Object.entries(verdicts)) if (typeof verdict === 'boolean') kept.push([id, verdict])
  return Object.fromEntries(kept)
}
