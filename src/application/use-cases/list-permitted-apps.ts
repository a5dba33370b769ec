import type { App } from '#domain/app.ts'
import type { AuthContext } from '#domain/auth-context.ts'
import { DomainError } from '#domain/errors.ts'
import { type Page, pageOf } from '#domain/page.ts'
import type { AccessPolicy, PermittedQuery } from '../ports/app-access.ts'
import type { AppCatalog } from '../ports/app-catalog.ts'

export type ListPermittedApps = (context: AuthContext, query: PermittedQuery) => Promise<Page<App>>

/**
 * The apps an external subject may use. The policy decides which; what they are called comes from the catalogue, and
 * what cannot be run is left out, so a page may be shorter than its limit while more follow.
 * @throws DomainError `not_found` | `wrong_subject_type` | `permitted_apps_unavailable`
 */
export function makeListPermittedApps(needs: { policy: AccessPolicy | null; apps: AppCatalog }): ListPermittedApps {
  const { policy, apps } = needs
  return async ({ subject }, query) => {
    if (policy === null) throw new DomainError('not_found', {})
    if (subject.type !== 'external_sso') throw new DomainError('wrong_subject_type', {})
    const { ids, total } = await policy.permittedApps(subject, query).catch((error: unknown) => {
      if (error instanceof DomainError && error.code === 'enterprise_failed') {
        throw new DomainError('permitted_apps_unavailable', {}, { cause: error })
      }
      throw error
    })
    const found = new Map((await apps.findMany(ids)).map((app) => [app.id, app]))
    const rows = ids.flatMap((id) => found.get(id) ?? [])
    return pageOf(query, total, rows.filter(isRunnable))
  }
}

function isRunnable({ status, apiEnabled, workspaceStatus }: App): boolean {
  return status === 'normal' && apiEnabled && workspaceStatus === 'normal'
}
