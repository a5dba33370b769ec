import { type PruneTokens, SIGN_IN_KEPT_MS } from '#application/ports/token-pruner.ts'
import type { MemoryDatabase } from './database.ts'

/** Deletes ended tokens and sign-ins of one process. */
export function createMemoryTokenPruner(database: MemoryDatabase): PruneTokens {
  const { tokens, refreshTokens } = database
  function pruneSignIns(cutoffMs: number): void {
    const kept = new Set(refreshTokens.rows().flatMap((row) => (row.expiresAtMs < cutoffMs ? [] : row.family)))
    for (const { hash, family } of refreshTokens.rows()) if (!kept.has(family)) refreshTokens.delete(hash)
  }
  return (cutoffMs) =>
    database.run(() => {
      const rows = tokens.rows()
      const revoked = rows.filter(({ revokedAtMs }) => revokedAtMs !== null && revokedAtMs < cutoffMs)
      const expired = rows.filter(({ revokedAtMs, expiresAtMs }) => revokedAtMs === null && expiresAtMs < cutoffMs)
      for (const { id } of [...revoked, ...expired]) tokens.delete(id)
      pruneSignIns(cutoffMs - SIGN_IN_KEPT_MS)
      return { revoked: revoked.length, expired: expired.length }
    })
}
