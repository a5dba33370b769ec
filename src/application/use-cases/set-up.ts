import { normaliseEmail } from '#domain/email.ts'
import { DomainError } from '#domain/errors.ts'
import type { AccountDirectory } from '../ports/account-directory.ts'
import type { Clock } from '../ports/clock.ts'
import type { PasswordHasher } from '../ports/password-hasher.ts'
import type { NewId } from '../ports/secrets.ts'
import type { SetUpGuard } from './guard-set-up.ts'

type Needs = {
  accounts: AccountDirectory
  passwords: PasswordHasher
  setUpGuard: SetUpGuard
  newId: NewId
  now: Clock
}

export type SetUp = (input: {
  readonly email: string
  readonly name: string
  readonly password: string
  /** From the guard; needed only when the operator chose a set-up password. */
  readonly pass?: string | null
}) => Promise<{ readonly accountId: string; readonly workspaceId: string }>

/** The first visit: makes the owner and their workspace, once. @throws DomainError `already_setup` | `not_init_validated` */
export function makeSetUp({ accounts, passwords, setUpGuard, newId, now }: Needs): SetUp {
  return async ({ email, name, password, pass = null }) => {
    if ((await accounts.owner()) !== null) throw new DomainError('already_setup', {})
    if (await setUpGuard.isLocked(pass)) throw new DomainError('not_init_validated', {})
    const account = {
      id: newId(),
      email: normaliseEmail(email),
      name,
      status: 'active' as const,
      passwordHash: await passwords.hash(password),
      createdAtMs: now(),
    }
    const workspace = { id: newId(), name: `${name}'s Workspace`, createdAtMs: now() }
    if (!(await accounts.setUp(account, workspace))) throw new DomainError('already_setup', {})
    return { accountId: account.id, workspaceId: workspace.id }
  }
}
