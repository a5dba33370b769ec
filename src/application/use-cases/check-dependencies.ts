import { type AppDependency, leakedDependencies } from '#domain/app-dependencies.ts'
import { requireAppRole } from '../auth/require-role.ts'
import type { MembershipDirectory } from '../ports/account-directory.ts'
import type { AppCatalog } from '../ports/app-catalog.ts'
import type { DslFiles } from '../ports/dsl-files.ts'
import type { CheckApp } from './check-app.ts'

type Needs = { apps: AppCatalog; memberships: MembershipDirectory; dsl: DslFiles; checkApp: CheckApp }

/**
 * The plugins an app names that nothing here stands in for, as things stand now.
 * @throws DomainError `app_not_found` | `workspace_unavailable` | `role_required`
 */
export type CheckDependencies = (accountId: string, appId: string) => Promise<readonly AppDependency[]>

export function makeCheckDependencies({ apps, memberships, dsl, checkApp }: Needs): CheckDependencies {
  return async (accountId, appId) => {
    const app = await requireAppRole({ apps, memberships }, { accountId, appId }, 'editor')
    const [definition, source] = [await apps.definition(app.id), await apps.source(app.id)]
    if (definition === null || source === null) return []
    const { dependencies } = await dsl.read(source)
    if (dependencies.length === 0) return []
    return leakedDependencies(dependencies, definition, await checkApp.report(app, definition))
  }
}
