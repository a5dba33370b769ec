import { MAX_PENDING_IMPORTS, PENDING_IMPORT_TTL_MS, type PendingImports } from '#application/ports/pending-imports.ts'
import type { MemoryDatabase } from './database.ts'
import { descending } from './ordering.ts'

/** Imports that wait in one process. */
export function createMemoryPendingImports(database: MemoryDatabase): PendingImports {
  const { pendingImports } = database
  const live = (id: string, nowMs: number) => {
    const row = pendingImports.get(id)
    return row !== undefined && nowMs < row.createdAtMs + PENDING_IMPORT_TTL_MS ? row : null
  }

  return {
    add: (pending) =>
      database.run(() => {
        for (const { id } of pendingImports.rows())
          if (live(id, pending.createdAtMs) === null) pendingImports.delete(id)
        pendingImports.set(pending.id, pending)
        const own = pendingImports.rows().filter(({ accountId }) => accountId === pending.accountId)
        const latest = own.toSorted((a, b) => descending(a.createdAtMs, b.createdAtMs) || descending(a.id, b.id))
        for (const { id } of latest.slice(MAX_PENDING_IMPORTS)) pendingImports.delete(id)
      }),

    find: (id, nowMs) => database.run(() => live(id, nowMs)),

    take: (id, nowMs) =>
      database.run(() => {
        if (live(id, nowMs) === null) return false
        pendingImports.delete(id)
        return true
      }),
  }
}
