import type { App } from '#domain/app.ts'
import type { AuthContext } from '#domain/auth-context.ts'
import type { Page } from '#domain/page.ts'
import type { RequireMembership } from '../auth/layer-zero.ts'
import type { AppCatalog, AppQuery } from '../ports/app-catalog.ts'

export type ListApps = (context: AuthContext, query: AppQuery) => Promise<Page<App>>

/** The runnable apps of one workspace. @throws DomainError `workspace_membership_revoked` */
export function makeListApps(needs: { apps: AppCatalog; requireMembership: RequireMembership }): ListApps {
  return async (context, query) => {
    await needs.requireMembership(context, query.workspaceId)
    return needs.apps.search(query)
  }
}
