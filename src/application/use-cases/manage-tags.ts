import { DomainError } from '#domain/errors.ts'
import { requireAppRole, requireRole } from '../auth/require-role.ts'
import type { MembershipDirectory } from '../ports/account-directory.ts'
import type { AppCatalog } from '../ports/app-catalog.ts'
import type { Clock } from '../ports/clock.ts'
import type { NewId } from '../ports/secrets.ts'
import type { Tag, TagStore } from '../ports/tag-store.ts'

type Needs = { tags: TagStore; apps: AppCatalog; memberships: MembershipDirectory; newId: NewId; now: Clock }

/** The words that a workspace's apps are found by, for its editors. */
export type ManageTags = {
  list: TagStore['list']
  /** The tag of that name, which may be there already. @throws DomainError `workspace_not_found` | `role_required` */
  create(who: { readonly accountId: string; readonly workspaceId: string }, name: string): Promise<Tag>
  /** @throws DomainError `app_not_found` | `workspace_unavailable` | `role_required` | `not_found` for a foreign tag */
  bind(accountId: string, appId: string, tagIds: readonly string[]): Promise<void>
}

export function makeManageTags({ tags, apps, memberships, newId, now }: Needs): ManageTags {
  return {
    list: (workspaceId, keyword) => tags.list(workspaceId, keyword),

    async create(who, name) {
      await requireRole(memberships, who, 'editor')
      const { accountId: createdBy, workspaceId } = who
      return tags.put({ id: newId(), workspaceId, name, createdBy, createdAtMs: now() })
    },

    async bind(accountId, appId, tagIds) {
      const { workspaceId } = await requireAppRole({ apps, memberships }, { accountId, appId }, 'editor')
      const bound = await tags.bind(workspaceId, appId, tagIds, { accountId, atMs: now() })
      if (!bound) throw new DomainError('not_found', {})
    },
  }
}
