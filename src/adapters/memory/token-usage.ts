import type { RecordTokenUses } from '#application/ports/token-usage.ts'
import type { MemoryDatabase } from './database.ts'

/** Last uses of one process's tokens. */
export function createMemoryTokenUsage(database: MemoryDatabase): RecordTokenUses {
  const { tokens } = database
  return (uses, minGapMs) =>
    database.run(() => {
      const latest = new Map(uses.map((use) => [use.tokenHash, use]))
      for (const row of tokens.rows()) {
        const use = row.tokenHash === null ? undefined : latest.get(row.tokenHash)
        if (use === undefined || (row.lastUsedAtMs !== null && use.atMs - row.lastUsedAtMs < Math.max(minGapMs, 1)))
          continue
        tokens.set(row.id, { ...row, lastUsedAtMs: use.atMs, lastUsedIp: use.ip, userAgent: use.userAgent })
      }
    })
}
