import type { UnitOfWork } from '#application/ports/unit-of-work.ts'
import type { MemoryDatabase } from './database.ts'

/** Transactions over the tables of one process; its statements take no time, so none is ever cut. */
export function createMemoryUnitOfWork(database: MemoryDatabase): UnitOfWork {
  return (work) => database.transaction(work)
}
