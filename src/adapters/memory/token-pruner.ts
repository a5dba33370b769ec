import type { PruneTokens } from '#application/ports/token-pruner.ts'
import type { MemoryDatabase } from './database.ts'

/** Deletes ended tokens of one process. */
export function createMemoryTokenPruner(database: MemoryDatabase): PruneTokens {
  const { tokens } = database
  return (cutoffMs) =>
    database.run(() => {
      const rows = tokens.rows()
      const revoked = rows.filter(({ revokedAtMs }) => revokedAtMs !== null && revokedAtMs < cutoffMs)
      const expired = rows.filter(({ revokedAtMs, expiresAtMs }) => revokedAtMs === null && expiresAtMs < cutoffMs)
      for (const { id } of [...revoked, ...expired]) tokens.delete(id)
      return { revoked: revoked.length, expired: expired.length }
    })
}
