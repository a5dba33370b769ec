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
import type { AuthContext } from '#domain/auth-context.ts'
import { ExpiringMap } from './expiring-map.ts'

type Entry = AuthContext | 'invalid' | 'forgotten'

export type MemoryTokenCache = TokenCache & { read(tokenHash: string): CacheRead }

/** Resolved tokens of one process. */
export function createMemoryTokenCache({ now }: { now: Clock; ids?: NewId }): MemoryTokenCache {
  const entries = new ExpiringMap<Entry>(now)
  const putNew = (tokenHash: string, entry: Entry, expiresAtMs: number) => {
    if (entries.get(tokenHash) === null) entries.set(tokenHash, entry, expiresAtMs)
  }
  return {
    read(tokenHash) {
      const entry = entries.get(tokenHash)
      if (entry === null || entry === 'forgotten') return { kind: 'miss' }
      return entry === 'invalid' ? { kind: 'invalid' } : { kind: 'hit', context: entry }
    },
    async put(tokenHash, context) {
      putNew(tokenHash, context, Math.min(now() + POSITIVE_TTL_MS, context.expiresAtMs))
    },
    async putMiss(tokenHash) {
      putNew(tokenHash, 'invalid', now() + MISS_TTL_MS)
    },
    async invalidate(tokenHashes) {
      for (const tokenHash of tokenHashes) entries.set(tokenHash, 'invalid', now() + REVOKED_TTL_MS)
    },
    async forget(tokenHashes) {
      for (const tokenHash of tokenHashes) {
        // A dead token stays known as dead.
        if (entries.get(tokenHash) !== 'invalid') entries.set(tokenHash, 'forgotten', now() + FORGET_TTL_MS)
      }
    },
    async recordVerdict(tokenHash, entryId, workspaceId, member) {
      const entry = entries.get(tokenHash)
      const expiresAtMs = entries.expiryOf(tokenHash)
      if (entry === null || expiresAtMs === null || typeof entry === 'string' || entry.cacheEntryId !== entryId) return
      const verifiedWorkspaces = { ...entry.verifiedWorkspaces, [workspaceId]: member }
      entries.set(tokenHash, { ...entry, verifiedWorkspaces }, expiresAtMs)
    },
  }
}
