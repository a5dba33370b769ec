import type { App } from '#domain/app.ts'
import type { Page, PageRequest } from '#domain/page.ts'
import type { RequireMembership } from './auth/layer-zero.ts'
import type { Ports } from './ports.ts'
import { type CheckApp, makeCheckApp } from './use-cases/check-app.ts'
import { type CheckDependencies, makeCheckDependencies } from './use-cases/check-dependencies.ts'
import { type DescribeApp, makeDescribeApp } from './use-cases/describe-app.ts'
import { type ExportApp, makeExportApp } from './use-cases/export-app.ts'
import { type ImportApp, makeImportApp } from './use-cases/import-app.ts'
import { type ListApps, makeListApps } from './use-cases/list-apps.ts'
import { type ListPermittedApps, makeListPermittedApps } from './use-cases/list-permitted-apps.ts'
import { type ManageAppAccess, makeManageAppAccess } from './use-cases/manage-app-access.ts'
import { type ManageApps, makeManageApps } from './use-cases/manage-apps.ts'
import { type ManageBindings, makeManageBindings } from './use-cases/manage-bindings.ts'
import { type ManageImports, makeManageImports } from './use-cases/manage-imports.ts'
import { type ManageTags, makeManageTags } from './use-cases/manage-tags.ts'

/** The catalogue: what apps there are, how they come, go and are read, and whom they admit. */
export type AppCases = {
  readonly listPermittedApps: ListPermittedApps
  readonly appAccess: ManageAppAccess
  readonly listApps: ListApps
  /** An operator's view: no bearer stands behind it. */
  readonly listWorkspaceApps: (workspaceId: string, page: PageRequest & { name?: string }) => Promise<Page<App>>
  readonly describeApp: DescribeApp
  readonly manageApps: ManageApps
  readonly tags: ManageTags
  readonly imports: ManageImports
  readonly importApp: ImportApp
  readonly exportApp: ExportApp
  readonly checkApp: CheckApp
  readonly checkDependencies: CheckDependencies
  readonly bindings: ManageBindings
}

export function makeAppCases(ports: Ports & { readonly requireMembership: RequireMembership }): AppCases {
  const importApp = makeImportApp(ports)
  const checkApp = makeCheckApp(ports)
  return {
    listPermittedApps: makeListPermittedApps(ports),
    appAccess: makeManageAppAccess(ports),
    listApps: makeListApps(ports),
    listWorkspaceApps: (workspaceId, page) => ports.apps.search({ workspaceId, ...page }),
    describeApp: makeDescribeApp(ports),
    manageApps: makeManageApps(ports),
    tags: makeManageTags(ports),
    imports: makeManageImports({ ...ports, importApp }),
    importApp,
    exportApp: makeExportApp(ports),
    checkApp,
    checkDependencies: makeCheckDependencies({ ...ports, checkApp }),
    bindings: makeManageBindings(ports),
  }
}
