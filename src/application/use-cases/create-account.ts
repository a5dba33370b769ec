import { normaliseEmail } from '#domain/email.ts'
import type { Role } from '#domain/workspace.ts'
import type { AccountDirectory } from '../ports/account-directory.ts'
import type { Clock } from '../ports/clock.ts'
import type { PasswordHasher } from '../ports/password-hasher.ts'
import type { NewId } from '../ports/secrets.ts'

type Needs = { accounts: AccountDirectory; passwords: PasswordHasher; newId: NewId; now: Clock }

export type CreateAccount = (input: {
  readonly email: string
  readonly name: string
  readonly password: string
  readonly workspaceId: string
  readonly role: Role
}) => Promise<{ readonly accountId: string } | { readonly refused: 'email_taken' }>

/** Adds a person to a workspace, by an operator. */
export function makeCreateAccount({ accounts, passwords, newId, now }: Needs): CreateAccount {
  return async ({ email, name, password, workspaceId, role }) => {
    const accountId = newId()
    const passwordHash = await passwords.hash(password)
    const account = {
      id: accountId,
      email: normaliseEmail(email),
      name,
      status: 'active' as const,
      passwordHash,
      createdAtMs: now(),
    }
    return (await accounts.add(account, workspaceId, role)) ? { accountId } : { refused: 'email_taken' }
  }
}
