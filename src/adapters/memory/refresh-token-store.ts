import type { RefreshTokenStore } from '#application/ports/refresh-token-store.ts'
import type { MemoryDatabase } from './database.ts'

/** Refresh tokens of one process. An ended family stays ended, whatever a late refresh inserts. */
export function createMemoryRefreshTokenStore(database: MemoryDatabase): RefreshTokenStore {
  const { refreshTokens, endedFamilies } = database
  return {
    insert: (token) => database.run(() => refreshTokens.set(token.hash, { ...token, usedAtMs: null })),

    use: (hash, atMs) =>
      database.run(() => {
        const token = refreshTokens.get(hash)
        if (token === undefined || atMs >= token.expiresAtMs || endedFamilies.get(token.family) !== undefined)
          return { kind: 'unknown' }
        const { family, accountId } = token
        if (token.usedAtMs !== null) return { kind: 'reused', family }
        refreshTokens.set(hash, { ...token, usedAtMs: atMs })
        return { kind: 'ok', family, accountId }
      }),

    endFamily: (family) => database.run(() => endedFamilies.set(family, true)),

    isLive: ({ family, accountId }, nowMs) =>
      database.run(
        () =>
          endedFamilies.get(family) === undefined &&
          refreshTokens
            .rows()
            .some((one) => one.family === family && one.accountId === accountId && nowMs < one.expiresAtMs),
      ),
  }
}
