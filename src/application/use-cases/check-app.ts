import type { App, AppDefinition } from '#domain/app.ts'
import { DomainError, type PreflightIssue } from '#domain/errors.ts'
import type { MembershipDirectory } from '../ports/account-directory.ts'
import type { AppCatalog } from '../ports/app-catalog.ts'
import type { AppRunner } from '../ports/app-runner.ts'

export type CheckApp = {
  /** What has to be bound before the app can run, node by node, as things stand now. */
  report(app: App, definition: AppDefinition | null): Promise<readonly PreflightIssue[]>
  /** The same by id, for a member. @throws DomainError `app_not_found` | `app_unavailable` */
  byId(accountId: string, appId: string): Promise<{ readonly app: App; readonly issues: readonly PreflightIssue[] }>
}

/** Looks at an app without running it. */
export function makeCheckApp(needs: {
  apps: AppCatalog
  memberships: MembershipDirectory
  runner: AppRunner
}): CheckApp {
  const report: CheckApp['report'] = async (app, definition) => {
    if (definition === null) return []
    const preflight = await needs.runner.preflight(app, definition)
    return preflight.ok ? [] : preflight.issues
  }
  return {
    report,
    async byId(accountId, appId) {
      const app = await needs.apps.find(appId)
      const membership = app === null ? null : await needs.memberships.find(accountId, app.workspaceId)
      if (app === null || membership === null) throw new DomainError('app_not_found', {})
      const definition = await needs.apps.definition(app.id)
      if (definition === null) throw new DomainError('app_unavailable', {})
      return { app, issues: await report(app, definition) }
    },
  }
}
