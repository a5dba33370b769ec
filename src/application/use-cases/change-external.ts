import { normaliseEmail } from '#domain/email.ts'
import type { AuditLog } from '../ports/audit-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { ExternalDirectory } from '../ports/external-directory.ts'
import type { TokenCache } from '../ports/token-cache.ts'
import type { UnitOfWork } from '../ports/unit-of-work.ts'

type Needs = {
  externals: ExternalDirectory
  cache: TokenCache
  audit: AuditLog
  unitOfWork: UnitOfWork
  now: Clock
}

type Who = { readonly email: string /** Null is every issuer. */; readonly issuer: string | null }

/** Lets the company shut out a person who has no account here. */
export type ChangeExternal = {
  /** Ends the person's tokens everywhere at once, and keeps them from new ones. Gives how many ended. */
  block(who: Who): Promise<number>
  /** False when there was no block. */
  unblock(who: Who): Promise<boolean>
  /** Ends the person's tokens; they may sign on again. Gives how many ended. */
  signOut(who: Who, reason: string): Promise<number>
  /** False when the person was never seen. */
  setGroups(issuer: string, email: string, groups: readonly string[]): Promise<boolean>
}

export function makeChangeExternal({ externals, cache, audit, unitOfWork, now }: Needs): ChangeExternal {
  async function signOut({ email, issuer }: Who, reason: string): Promise<number> {
    const dead = await unitOfWork(async () => {
      const revoked = await externals.revokeTokens(normaliseEmail(email), issuer, now())
      for (const { id: tokenId } of revoked) {
        const facts = { tokenId, subjectType: 'external_sso' as const, accountId: null, reason }
        await audit.append({ event: 'oauth.token_revoked', facts }, now())
      }
      return revoked
    })
    await cache.invalidate(dead.map(({ tokenHash }) => tokenHash))
    return dead.length
  }

  return {
    signOut,
    async block(who) {
      // Committed before the tokens end: a token minted meanwhile either ends with them or is refused at its pick-up.
      await externals.block(normaliseEmail(who.email), who.issuer, now())
      return signOut(who, 'external_blocked')
    },
    unblock: ({ email, issuer }) => externals.unblock(normaliseEmail(email), issuer),
    setGroups: (issuer, email, groups) => externals.setGroups(issuer, normaliseEmail(email), groups),
  }
}
