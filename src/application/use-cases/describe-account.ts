import type { AuthContext } from '#domain/auth-context.ts'
import { DomainError } from '#domain/errors.ts'
import { limits } from '#domain/rate-limit.ts'
import { type Subject, subjectKey } from '#domain/subject.ts'
import { type Account, defaultWorkspaceId, type Membership } from '#domain/workspace.ts'
import type { Spend } from '../auth/spend.ts'

type Needs = { spend: Spend }

export type DescribeAccount = (context: AuthContext) => Promise<{
  readonly subject: Subject
  readonly account: Account | null
  readonly memberships: readonly Membership[]
  readonly defaultWorkspaceId: string | null
}>

/** Who the caller is. Has a limit of its own beside the bearer's. @throws DomainError `rate_limited` */
export function makeDescribeAccount({ spend }: Needs): DescribeAccount {
  return async ({ subject, account, memberships }) => {
    await spend(limits.account(subjectKey(subject)), { ip: null, accountId: account?.id ?? null })
    if (subject.type === 'account' && account === null) throw new DomainError('invalid_bearer', {})
    return { subject, account, memberships, defaultWorkspaceId: defaultWorkspaceId(memberships) }
  }
}
