import type { Origin } from '#domain/device-flow-state.ts'

/** The latest use of a token. */
export type TokenUse = Origin & { readonly tokenHash: string; readonly atMs: number }

/**
 * Writes the latest uses onto their live rows, all in few statements. A row keeps what it has when that is no more
 * than `minGapMs` older, so that several replicas together write no oftener, and never goes back in time. Best
 * effort: rows that somebody else is changing just now are left out.
 */
export type RecordTokenUses = (uses: readonly TokenUse[], minGapMs: number) => Promise<void>
