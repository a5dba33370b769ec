import type { App } from '#domain/app.ts'
import { DomainError } from '#domain/errors.ts'
import type { Page, PageRequest } from '#domain/page.ts'
import { requireAppRole } from '../auth/require-role.ts'
import type { MembershipDirectory } from '../ports/account-directory.ts'
import type { AppCatalog } from '../ports/app-catalog.ts'
import type { AuditLog } from '../ports/audit-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { NewId } from '../ports/secrets.ts'
import type { UnitOfWork } from '../ports/unit-of-work.ts'

type Needs = {
  apps: AppCatalog
  memberships: MembershipDirectory
  audit: AuditLog
  unitOfWork: UnitOfWork
  newId: NewId
  now: Clock
}

/** A workspace's apps, for the people who keep them. */
export type ManageApps = {
  /** Those with their API off, too. */
  list(workspaceId: string, query: PageRequest & { readonly name?: string | undefined }): Promise<Page<App>>
  /**
   * Lets callers in, or shuts them out at their next request.
   * @throws DomainError `app_not_found` | `workspace_unavailable` | `role_required`
   */
  setApi(accountId: string, appId: string, enabled: boolean): Promise<App>
  /**
   * Puts the latest draft in force, if there is one; resolves when the version in force was published.
   * @throws DomainError `app_not_found` | `workspace_unavailable` | `role_required` | `app_unavailable`
   */
  publish(accountId: string, appId: string): Promise<number>
}

export function makeManageApps({ apps, memberships, audit, unitOfWork, newId, now }: Needs): ManageApps {
  const requireEditor = (accountId: string, appId: string) =>
    requireAppRole({ apps, memberships }, { accountId, appId }, 'editor')

  return {
    list: (workspaceId, query) => apps.search({ workspaceId, ...query, apiOff: true }),

    async setApi(accountId, appId, enabled) {
      const before = await requireEditor(accountId, appId)
      if (before.apiEnabled === enabled) return before
      await unitOfWork(async () => {
        if (!(await apps.setApi(appId, enabled, now()))) throw new DomainError('app_not_found', {})
        const facts = { appId, tenantId: before.workspaceId, accountId, enabled }
        await audit.append({ event: 'app.api_changed', facts }, now())
      })
      return { ...before, apiEnabled: enabled, updatedAtMs: now() }
    },

    async publish(accountId, appId) {
      await requireEditor(accountId, appId)
      const publishedAtMs = await apps.publish(appId, newId(), now())
      if (publishedAtMs === null) throw new DomainError('app_unavailable', {})
      return publishedAtMs
    },
  }
}
