import type { AuthContext } from '#domain/auth-context.ts'
import { DomainError } from '#domain/errors.ts'
import type { Account } from '#domain/workspace.ts'

/** What concerns workspaces from the inside: people without an account here are turned away before anything is looked up. */
export const accountOnly = { kind: 'bearer', scope: null, accepts: 'account' } as const

/** The caller's account; admission let nobody in without one. */
export function accountOf({ account }: AuthContext): Account {
  if (account === null) throw new DomainError('wrong_subject_type', {})
  return account
}

export function accountIdOf(context: AuthContext): string {
  return accountOf(context).id
}
