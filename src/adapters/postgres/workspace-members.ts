import type { EntityManager } from '@mikro-orm/sql'
import type { Member, MemberChangeRequest, WorkspaceMembers } from '#application/ports/workspace-members.ts'
import type { MemberChange, Standing } from '#domain/member-rules.ts'
import { pageOf } from '#domain/page.ts'
import { isUuid } from '#domain/uuid.ts'
import { instant, rowOf, rowsOf } from './sql.ts'
import { translateErrors } from './translate-errors.ts'

const MEMBER = `select a.id as "accountId", a.name, a.email, j.role, a.status
  from tenant_account_joins j join accounts a on a.id = j.account_id`

/** Members in `tenant_account_joins`, by workspace. */
export function createPostgresWorkspaceMembers(em: EntityManager): WorkspaceMembers {
  return translateErrors<WorkspaceMembers>({
    async list(workspaceId, page) {
      if (!isUuid(workspaceId)) return pageOf(page, 0, [])
      const counted = await rowOf<{ total: number }>(
        em,
        'select count(*)::int as total from tenant_account_joins where tenant_id = ?',
        [workspaceId],
      )
      const found = await rowsOf<Member>(
        em,
        `${MEMBER} where j.tenant_id = ? order by a.email collate "C" limit ? offset ?`,
        [workspaceId, page.limit, (page.page - 1) * page.limit],
      )
      return pageOf(page, counted?.total ?? 0, found)
    },

    async find(workspaceId, accountId) {
      if (!isUuid(workspaceId) || !isUuid(accountId)) return null
      return rowOf<Member>(em, `${MEMBER} where j.tenant_id = ? and j.account_id = ?`, [workspaceId, accountId])
    },

    async change(request, decide) {
      const { workspaceId, actorId, targetId } = request
      if (![workspaceId, actorId, targetId].every(isUuid)) {
        return decide({ workspace: null, actor: null, target: null, owners: 0 }).result
      }
      return em.transactional(async () => {
        // The workspace's row is the lock: whoever comes next decides on what this one leaves.
        const place = await rowOf<{ status: Standing['workspace'] }>(
          em,
          'select status from tenants where id = ? for update',
          [workspaceId],
        )
        const standing = await rowOf<Omit<Standing, 'workspace'>>(
          em,
          `select max(role) filter (where account_id = ?) as actor, max(role) filter (where account_id = ?) as target,
              (count(*) filter (where role = 'owner'))::int as owners
            from tenant_account_joins where tenant_id = ?`,
          [actorId, targetId, workspaceId],
        )
        const { result, write } = decide({
          workspace: place?.status ?? null,
          ...(standing ?? { actor: null, target: null, owners: 0 }),
        })
        if (write !== null) await apply(em, request, write)
        return result
      })
    },
  })
}

async function apply(em: EntityManager, request: MemberChangeRequest, write: MemberChange): Promise<void> {
  const { workspaceId, targetId, atMs } = request
  if (write.kind === 'remove') {
    const statement = 'delete from tenant_account_joins where tenant_id = ? and account_id = ? returning account_id'
    await rowsOf(em, statement, [workspaceId, targetId])
    return
  }
  await rowsOf(
    em,
    `insert into tenant_account_joins (tenant_id, account_id, role, created_at) values (?, ?, ?, ?)
      on conflict (tenant_id, account_id) do update set role = excluded.role returning account_id`,
    [workspaceId, targetId, write.role, instant(atMs)],
  )
}
