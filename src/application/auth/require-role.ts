import type { App } from '#domain/app.ts'
import { DomainError } from '#domain/errors.ts'
import { atLeast, type Role } from '#domain/workspace.ts'
import type { MembershipDirectory } from '../ports/account-directory.ts'
import type { AppCatalog } from '../ports/app-catalog.ts'

/**
 * Asks the store, not what a token's cache remembers: a role that was just taken away changes nothing any more.
 * @throws DomainError `workspace_not_found` (also of archived ones, and of those that one is not in) | `role_required`
 */
export async function requireRole(
  memberships: MembershipDirectory,
  { accountId, workspaceId }: { readonly accountId: string; readonly workspaceId: string },
  role: Role,
): Promise<void> {
  const membership = await memberships.find(accountId, workspaceId)
  if (membership === null || membership.status !== 'normal') throw new DomainError('workspace_not_found', {})
  if (!atLeast(membership.role, role)) throw new DomainError('role_required', { role })
}

/**
 * The same for the workspace of an app.
 * @throws DomainError `app_not_found` (also of workspaces that one is not in) | `workspace_unavailable` | `role_required`
 */
export async function requireAppRole(
  { apps, memberships }: { readonly apps: AppCatalog; readonly memberships: MembershipDirectory },
  { accountId, appId }: { readonly accountId: string; readonly appId: string },
  role: Role,
): Promise<App> {
  const app = await apps.find(appId)
  const membership = app === null ? null : await memberships.find(accountId, app.workspaceId)
  if (app === null || membership === null) throw new DomainError('app_not_found', {})
  if (membership.status !== 'normal') throw new DomainError('workspace_unavailable', {})
  if (!atLeast(membership.role, role)) throw new DomainError('role_required', { role })
  return app
}
