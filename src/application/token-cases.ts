import type { CoreSettings, Ports } from './ports.ts'
import { type DescribeAccount, describeAccount } from './use-cases/describe-account.ts'
import { type IntrospectToken, makeIntrospectToken } from './use-cases/introspect-token.ts'
import { type ListSessions, makeListSessions } from './use-cases/list-sessions.ts'
import { makePruneEndedTokens, type PruneEndedTokens } from './use-cases/prune-tokens.ts'
import { makeRevokeSession, type RevokeSession } from './use-cases/revoke-session.ts'
import { makeRevokeToken, type RevokeToken } from './use-cases/revoke-token.ts'

/** What a bearer tells of itself and of its like, and how it ends. */
export type TokenCases = {
  readonly describeAccount: DescribeAccount
  readonly listSessions: ListSessions
  readonly revokeSession: RevokeSession
  readonly introspectToken: IntrospectToken
  readonly revokeToken: RevokeToken
  readonly pruneEndedTokens: PruneEndedTokens
}

export function makeTokenCases(ports: Ports, settings: CoreSettings): TokenCases {
  return {
    describeAccount,
    listSessions: makeListSessions(ports),
    revokeSession: makeRevokeSession(ports),
    introspectToken: makeIntrospectToken(ports),
    revokeToken: makeRevokeToken(ports),
    pruneEndedTokens: makePruneEndedTokens({ ...ports, settings }),
  }
}
