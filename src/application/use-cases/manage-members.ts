import type { AuditEvent } from '#domain/audit-event.ts'
import { normaliseEmail } from '#domain/email.ts'
import { DomainError } from '#domain/errors.ts'
import { type GivenRole, judgeMemberChange, type MemberChange, type MemberVerdict } from '#domain/member-rules.ts'
import type { Account } from '#domain/workspace.ts'
import type { ForgetAccount } from '../auth/forget-account.ts'
import type { AccountDirectory } from '../ports/account-directory.ts'
import type { AuditLog } from '../ports/audit-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { UnitOfWork } from '../ports/unit-of-work.ts'
import type { Member, WorkspaceMembers } from '../ports/workspace-members.ts'

type Needs = {
  members: WorkspaceMembers
  accounts: AccountDirectory
  audit: AuditLog
  unitOfWork: UnitOfWork
  forgetAccount: ForgetAccount
  now: Clock
}

/** No account has it, and so nobody is a member by it. */
const NOBODY = '00000000-0000-0000-0000-000000000000'

type Where = { readonly actorId: string; readonly workspaceId: string }

/**
 * Who belongs to a workspace, for its owners and admins. A change is in force on every replica at the next request of
 * the person it concerns.
 * Each throws DomainError `workspace_not_found` | `role_required`, and what is named beside it.
 */
export type ManageMembers = {
  list: WorkspaceMembers['list']
  /** A person with an account here, by email. @throws DomainError `account_not_found` | `already_member` */
  add(where: Where, email: string, role: GivenRole): Promise<Member>
  /** @throws DomainError `member_not_found` | `last_owner` */
  setRole(where: Where, memberId: string, role: GivenRole): Promise<Member>
  /** @throws DomainError `member_not_found` | `last_owner` */
  remove(where: Where, memberId: string): Promise<void>
}

export function makeManageMembers(needs: Needs): ManageMembers {
  const { members, accounts, audit, unitOfWork, forgetAccount, now } = needs

  /** Decides, stores and records in one transaction, and lets go of what tokens remember once it has committed. */
  async function change({ actorId, workspaceId }: Where, target: Account | null, wanted: MemberChange): Promise<void> {
    const atMs = now()
    const request = { workspaceId, actorId, targetId: target?.id ?? NOBODY, atMs }
    const verdict = await unitOfWork(async () => {
      const verdict = await members.change(request, (standing) => {
        const verdict = judgeMemberChange(standing, wanted)
        return { result: verdict, write: verdict.kind === 'allowed' && target !== null ? wanted : null }
      })
      if (verdict.kind === 'allowed' && target !== null) {
        await audit.append(eventOf(wanted, { tenantId: workspaceId, accountId: actorId, memberId: target.id }), atMs)
      }
      return verdict
    })
    refuse(verdict)
    // Only those hear it who may change members.
    if (target === null) throw new DomainError('account_not_found', {})
    if (verdict.kind === 'allowed') await forgetAccount(target)
  }

  async function found(workspaceId: string, accountId: string): Promise<Member> {
    const member = await members.find(workspaceId, accountId)
    // Removed again meanwhile.
    if (member === null) throw new DomainError('member_not_found', {})
    return member
  }

  return {
    list: (workspaceId, page) => members.list(workspaceId, page),

    async add(where, email, role) {
      const account = await accounts.findByEmail(normaliseEmail(email))
      // Who was shut out of the server is nobody here.
      const target = account?.status === 'active' ? account : null
      await change(where, target, { kind: 'add', role })
      return found(where.workspaceId, target?.id ?? '')
    },

    async setRole(where, memberId, role) {
      await change(where, await accounts.find(memberId), { kind: 'role', role })
      return found(where.workspaceId, memberId)
    },

    async remove(where, memberId) {
      await change(where, await accounts.find(memberId), { kind: 'remove' })
    },
  }
}

function refuse(verdict: MemberVerdict): void {
  if (verdict.kind === 'allowed' || verdict.kind === 'unchanged') return
  if (verdict.kind === 'role_required') throw new DomainError('role_required', { role: verdict.role })
  throw new DomainError(verdict.kind, {})
}

type Concerned = { readonly tenantId: string; readonly accountId: string; readonly memberId: string }

function eventOf(change: MemberChange, concerned: Concerned): AuditEvent {
  switch (change.kind) {
    case 'add':
      return { event: 'workspace.member_added', facts: { ...concerned, role: change.role } }
    case 'role':
      return { event: 'workspace.member_role_changed', facts: { ...concerned, role: change.role } }
    case 'remove':
      return { event: 'workspace.member_removed', facts: concerned }
  }
}
