import type { AccountLifecycle } from '#application/ports/account-lifecycle.ts'
import type { MemoryDatabase } from './database.ts'

/** Beginnings and ends of one process's accounts. */
export function createMemoryAccountLifecycle(database: MemoryDatabase): AccountLifecycle {
  const { accounts, tokens, refreshTokens, endedFamilies } = database
  return {
    changeStatus: (accountId, from, to) =>
      database.run(() => {
        const row = accounts.get(accountId)
        if (row === undefined || !from.includes(row.status)) return false
        accounts.set(accountId, { ...row, status: to })
        return true
      }),

    revokeTokens: (accountId, atMs) =>
      database.run(() =>
        tokens.rows().flatMap((row) => {
          const { id, tokenHash } = row
          if (row.accountId !== accountId || row.revokedAtMs !== null || tokenHash === null) return []
          tokens.set(id, { ...row, tokenHash: null, revokedAtMs: atMs })
          return [{ id, tokenHash }]
        }),
      ),

    endSignIns: (accountId) =>
      database.run(() => {
        for (const token of refreshTokens.rows()) {
          if (token.accountId === accountId) endedFamilies.set(token.family, true)
        }
      }),
  }
}
