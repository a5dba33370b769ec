import type { App, AppDefinition } from '#domain/app.ts'
import type { AuthContext } from '#domain/auth-context.ts'
import { requireApp } from '../auth/checks.ts'
import type { RequireMembership } from '../auth/layer-zero.ts'
import type { AppCatalog } from '../ports/app-catalog.ts'
import type { LiveDefinition } from '../ports/live-definition.ts'

export type DescribeApp = (
  context: AuthContext,
  appId: string,
) => Promise<{ readonly app: App; readonly definition: AppDefinition | null }>

/**
 * An app and its published definition, API on or off.
 * @throws DomainError `app_not_found` | `workspace_unavailable` | `workspace_membership_revoked` | `upstream_failed`
 */
export function makeDescribeApp(needs: {
  apps: AppCatalog
  requireMembership: RequireMembership
  liveDefinition: LiveDefinition
}): DescribeApp {
  return async (context, appId) => {
    const app = await requireApp(needs.apps, appId, 'describe')
    await needs.requireMembership(context, app.workspaceId)
    const definition = await needs.apps.definition(app.id)
    return { app, definition: definition === null ? null : (await needs.liveDefinition(app, definition)).definition }
  }
}
