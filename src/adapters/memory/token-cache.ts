import type { Clock } from '#application/ports/clock.ts'
import type { NewId } from '#application/ports/secrets.ts'
import {
  type CacheRead,
  FORGET_TTL_MS,
  MISS_TTL_MS,
  POSITIVE_TTL_MS,
  REVOKED_TTL_MS,
  type TokenCache,
} from '#application/ports/token-cache.ts'
import { ExpiringMap } from './expiring-map.ts'

export type MemoryCacheSettings = { readonly now: Clock; readonly ids: NewId; readonly maxEntries?: number }

/** The cache, and the reading end that the limiter of the same process takes. */
export type MemoryTokenCache = TokenCache & { read(tokenHash: string): CacheRead }

type Entry = CacheRead | { readonly kind: 'forgotten' }

/** Resolved tokens of one process. A full cache stops refilling; what ends a token is always kept. */
export function createMemoryTokenCache({ now, ids, maxEntries = 50_000 }: MemoryCacheSettings): MemoryTokenCache {
  const entries = new ExpiringMap<Entry>(now, maxEntries)

  function refill(hash: string, entry: Entry, untilMs: number): void {
    if (entries.get(hash) !== undefined || untilMs <= now() || !entries.hasRoom(hash)) return
    entries.set(hash, entry, untilMs)
  }

  return {
    read(hash) {
      const entry = entries.get(hash)
      return entry === undefined || entry.kind === 'forgotten' ? { kind: 'miss' } : entry
    },

    async put(hash, context) {
      const named = { ...context, cacheEntryId: context.cacheEntryId ?? ids() }
      refill(hash, { kind: 'hit', context: named }, Math.min(now() + POSITIVE_TTL_MS, context.expiresAtMs))
    },

    async putMiss(hash) {
      refill(hash, { kind: 'invalid' }, now() + MISS_TTL_MS)
    },

    async invalidate(hashes) {
      for (const hash of hashes) entries.set(hash, { kind: 'invalid' }, now() + REVOKED_TTL_MS)
    },

    async forget(hashes) {
      for (const hash of hashes) {
        // A revoke outlasts this: its longer refusal of refills must not be cut short.
        if (entries.get(hash)?.kind !== 'invalid') entries.set(hash, { kind: 'forgotten' }, now() + FORGET_TTL_MS)
      }
    },

    async recordVerdict(hash, entryId, workspaceId, member) {
      const entry = entries.get(hash)
      if (entry?.kind !== 'hit' || entry.context.cacheEntryId !== entryId) return
      const verifiedWorkspaces = { ...entry.context.verifiedWorkspaces, [workspaceId]: member }
      const context = { ...entry.context, verifiedWorkspaces }
      entries.set(hash, { kind: 'hit', context }, entries.untilMs(hash))
    },
  }
}
