import { randomUUID } from 'node:crypto'
import type { Clock } from '#application/ports/clock.ts'
import {
  FORGET_TTL_MS,
  MISS_TTL_MS,
  POSITIVE_TTL_MS,
  REVOKED_TTL_MS,
  type TokenCache,
} from '#application/ports/token-cache.ts'
import { cacheKey, FORGOTTEN, INVALID, readEntry, writeEntry } from './cache-entry.ts'
import type { RedisLink } from './open-redis.ts'

export type TokenCacheSettings = { readonly prefix: string; readonly now: Clock }

/** Verdicts of one token's concurrent requests meet here; a lost one only costs a query later. */
const MAX_ROUNDS = 10

/** Resolved tokens shared by all replicas. */
export function createRedisTokenCache(redis: RedisLink, { prefix, now }: TokenCacheSettings): TokenCache {
  const keyOf = (hash: string) => cacheKey(prefix, hash)

  return {
    async put(hash, context) {
      const life = Math.min(POSITIVE_TTL_MS, Math.floor(context.expiresAtMs - now()))
      if (life <= 0) return
      const entry = writeEntry({ ...context, cacheEntryId: context.cacheEntryId ?? randomUUID() })
      await redis.ask((commands) => commands.set(keyOf(hash), entry, 'PX', life, 'NX'))
    },

    async putMiss(hash) {
      await redis.ask((commands) => commands.set(keyOf(hash), INVALID, 'PX', MISS_TTL_MS, 'NX'))
    },

    async invalidate(hashes) {
      await redis.ask((commands) =>
        Promise.all(hashes.map((hash) => commands.set(keyOf(hash), INVALID, 'PX', REVOKED_TTL_MS))),
      )
    },

    async forget(hashes) {
      // A revoke outlasts this: its longer refusal of refills must not be cut short.
      await redis.ask((commands) =>
        Promise.all(hashes.map((hash) => commands.setUnlessSame(keyOf(hash), INVALID, FORGOTTEN, FORGET_TTL_MS))),
      )
    },

    async recordVerdict(hash, entryId, workspaceId, member) {
      for (let round = 0; round < MAX_ROUNDS; round++) {
        const raw = await redis.ask((commands) => commands.get(keyOf(hash)))
        const read = readEntry(raw, hash)
        if (raw === null || read.kind !== 'hit' || read.context.cacheEntryId !== entryId) return
        const verifiedWorkspaces = { ...read.context.verifiedWorkspaces, [workspaceId]: member }
        const next = writeEntry({ ...read.context, verifiedWorkspaces })
        if ((await redis.ask((commands) => commands.swapIfSame(keyOf(hash), raw, next, 0))) === 1) return
      }
    },
  }
}
