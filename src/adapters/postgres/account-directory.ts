import type { EntityManager } from '@mikro-orm/sql'
import type { AccountDirectory, MembershipDirectory, NewAccount } from '#application/ports/account-directory.ts'
import { normaliseEmail } from '#domain/email.ts'
import { isUuid } from '#domain/uuid.ts'
import type { Account, Membership } from '#domain/workspace.ts'
import { epochMs, instant, type Parameter, rowOf, rowsOf, storableText } from './sql.ts'
import { translateErrors } from './translate-errors.ts'

const ACCOUNT = 'id, email, name, status'

const MEMBERSHIP = `select t.id as "workspaceId", t.name, t.status, j.role, j.current,
    ${epochMs('t.created_at', 'createdAtMs')}
  from tenant_account_joins j join tenants t on t.id = j.tenant_id`

const accountValues = (account: NewAccount): readonly Parameter[] => [
  account.id,
  normaliseEmail(account.email),
  storableText(account.name),
  account.passwordHash,
  account.status,
  instant(account.createdAtMs),
]

/** People in `accounts`. */
export function createPostgresAccountDirectory(em: EntityManager): AccountDirectory {
  return translateErrors<AccountDirectory>({
    owner: () => rowOf<Account>(em, `select ${ACCOUNT} from accounts where id = (select account_id from setups)`, []),

    async setUp(account, workspace) {
      const createdAt = instant(account.createdAtMs)
      // One statement, so the single row of `setups` decides the race and nothing is left half done.
      const won = await rowOf(
        em,
        `with first as (
            insert into setups (account_id, created_at) values (?, ?) on conflict do nothing returning account_id
          ), person as (
            insert into accounts (id, email, name, password_hash, status, created_at)
            select ?::uuid, ?, ?, ?, ?, ?::timestamptz from first returning id
          ), place as (
            insert into tenants (id, name, created_at) select ?::uuid, ?, ?::timestamptz from first returning id
          )
          insert into tenant_account_joins (tenant_id, account_id, role, current, created_at)
          select place.id, person.id, 'owner', true, ?::timestamptz from place, person
          returning account_id`,
        [
          account.id,
          createdAt,
          ...accountValues(account),
          workspace.id,
          storableText(workspace.name),
          instant(workspace.createdAtMs),
          createdAt,
        ],
      )
      return won !== null
    },

    async add(account, workspaceId, role) {
      const added = await rowOf(
        em,
        `with person as (
            insert into accounts (id, email, name, password_hash, status, created_at)
            values (?, ?, ?, ?, ?, ?) on conflict (email) do nothing returning id, created_at
          )
          insert into tenant_account_joins (tenant_id, account_id, role, created_at)
          select ?::uuid, person.id, ?, person.created_at from person
          returning account_id`,
        [...accountValues(account), workspaceId, role],
      )
      return added !== null
    },

    async find(accountId) {
      if (!isUuid(accountId)) return null
      return rowOf<Account>(em, `select ${ACCOUNT} from accounts where id = ?`, [accountId])
    },

    findByEmail: (email) =>
      rowOf<Account & { passwordHash: string | null }>(
        em,
        `select ${ACCOUNT}, password_hash as "passwordHash" from accounts where email = ?`,
        [storableText(normaliseEmail(email))],
      ),
  })
}

/** Who is where, in `tenant_account_joins`. */
export function createPostgresMembershipDirectory(em: EntityManager): MembershipDirectory {
  return translateErrors<MembershipDirectory>({
    async list(accountId) {
      if (!isUuid(accountId)) return []
      return rowsOf<Membership>(em, `${MEMBERSHIP} where j.account_id = ? order by t.created_at, t.id`, [accountId])
    },

    async find(accountId, workspaceId) {
      if (!isUuid(accountId) || !isUuid(workspaceId)) return null
      return rowOf<Membership>(em, `${MEMBERSHIP} where j.account_id = ? and j.tenant_id = ?`, [accountId, workspaceId])
    },

    async setCurrent(accountId, workspaceId) {
      if (!isUuid(accountId) || !isUuid(workspaceId)) return false
      const changed = await rowsOf(
        em,
        `update tenant_account_joins set current = (tenant_id = ?) where account_id = ? and exists (
            select 1 from tenant_account_joins m where m.account_id = ? and m.tenant_id = ?
          ) returning tenant_id`,
        [workspaceId, accountId, accountId, workspaceId],
      )
      return changed.length > 0
    },

    async remove(accountId, workspaceId) {
      if (!isUuid(accountId) || !isUuid(workspaceId)) return false
      const removed = await rowOf(
        em,
        'delete from tenant_account_joins where account_id = ? and tenant_id = ? returning tenant_id',
        [accountId, workspaceId],
      )
      return removed !== null
    },
  })
}
