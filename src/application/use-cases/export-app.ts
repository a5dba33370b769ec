import { DomainError } from '#domain/errors.ts'
import { requireAppRole } from '../auth/require-role.ts'
import type { MembershipDirectory } from '../ports/account-directory.ts'
import type { AppCatalog } from '../ports/app-catalog.ts'
import type { DslFiles } from '../ports/dsl-files.ts'

export type ExportApp = (input: {
  readonly accountId: string
  readonly appId: string
  /** A version of the app; null is the published one. */
  readonly workflowId?: string | null
  readonly includeSecret: boolean
}) => Promise<string>

/**
 * An app as a file that imports as the same app; export, import, export gives the same bytes.
 * @throws DomainError `app_not_found` (also of workspaces that one is not in) | `workspace_unavailable` | `role_required` |
 *   `workflow_not_found`
 */
export function makeExportApp(needs: { apps: AppCatalog; memberships: MembershipDirectory; dsl: DslFiles }): ExportApp {
  return async ({ accountId, appId, workflowId = null, includeSecret }) => {
    const app = await requireAppRole(needs, { accountId, appId }, 'editor')
    const source = await needs.apps.source(app.id, workflowId ?? undefined)
    if (source === null) throw new DomainError('workflow_not_found', {})
    return needs.dsl.write(source, { name: app.name, description: app.description, includeSecret })
  }
}
