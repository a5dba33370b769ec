import type { Clock } from '../ports/clock.ts'
import type { Pruned, PruneTokens } from '../ports/token-pruner.ts'

type Needs = { pruneTokens: PruneTokens; now: Clock; settings: { readonly tokenRetentionDays: number } }

/** Deletes the tokens that ended longer ago than they are kept for; null while another replica is at it. */
export type PruneEndedTokens = (signal?: AbortSignal) => Promise<Pruned | null>

const DAY_MS = 86_400_000

export function makePruneEndedTokens({ pruneTokens, now, settings }: Needs): PruneEndedTokens {
  return (signal) => pruneTokens(now() - settings.tokenRetentionDays * DAY_MS, signal)
}
