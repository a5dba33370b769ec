import type { AuthContext } from '#domain/auth-context.ts'
import { DomainError } from '#domain/errors.ts'
import type { Subject } from '#domain/subject.ts'
import { type Account, defaultWorkspaceId, type Membership } from '#domain/workspace.ts'

export type DescribeAccount = (context: AuthContext) => {
  readonly subject: Subject
  readonly account: Account | null
  readonly memberships: readonly Membership[]
  readonly defaultWorkspaceId: string | null
}

/** Who the caller is. @throws DomainError `invalid_bearer` when the account is gone */
export const describeAccount: DescribeAccount = ({ subject, account, memberships }) => {
  if (subject.type === 'account' && account === null) throw new DomainError('invalid_bearer', {})
  return { subject, account, memberships, defaultWorkspaceId: defaultWorkspaceId(memberships) }
}
