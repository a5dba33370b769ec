import type { Scope } from './scope.ts'
import type { Subject } from './subject.ts'
import type { Account, Membership } from './workspace.ts'

/** Who is asking, established once a request from the bearer and carried through every guard. */
export type AuthContext = {
  readonly subject: Subject
  readonly clientId: string
  readonly scopes: readonly Scope[]
  readonly tokenId: string
  readonly tokenHash: string
  readonly source: string
  readonly expiresAtMs: number
  /** The account and its workspaces when the token was resolved; null and [] for external subjects. */
  readonly account: Account | null
  readonly memberships: readonly Membership[]
  /** Layer 0 verdicts by workspace id; absent means unknown. */
  readonly verifiedWorkspaces: Readonly<Record<string, boolean>>
  /** Names the cache entry this was read from; a verdict is recorded only into that one. Null when not cached. */
  readonly cacheEntryId: string | null
}
