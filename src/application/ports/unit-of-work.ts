/**
 * Runs `work` so that all its writes to database-backed stores commit together, or none does when it throws.
 * Stores called inside join the transaction by themselves. `timeoutMs` bounds each statement.
 */
export type UnitOfWork = <R>(work: () => Promise<R>, options?: { readonly timeoutMs?: number }) => Promise<R>
