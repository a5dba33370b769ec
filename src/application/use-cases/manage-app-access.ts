import type { AccessGrant, AccessMode } from '#domain/app-access.ts'
import { DomainError } from '#domain/errors.ts'
import { atLeast } from '#domain/workspace.ts'
import type { MembershipDirectory } from '../ports/account-directory.ts'
import type { AppAccessStore } from '../ports/app-access.ts'
import type { AppCatalog } from '../ports/app-catalog.ts'
import type { Clock } from '../ports/clock.ts'
import type { UnitOfWork } from '../ports/unit-of-work.ts'

type Needs = {
  apps: AppCatalog
  appAccess: AppAccessStore
  memberships: MembershipDirectory
  unitOfWork: UnitOfWork
  now: Clock
}

/** Whom an app admits. `mode` null is an app that nobody gave one. */
export type AppAccessView = { readonly mode: string | null; readonly grants: readonly AccessGrant[] }

export type AppAccessChange = {
  readonly mode?: AccessMode | undefined
  readonly grant?: readonly AccessGrant[] | undefined
  readonly withdraw?: readonly AccessGrant[] | undefined
}

/** Reads and changes whom an app admits; a change is in force at the next request. */
export type ManageAppAccess = {
  /** Null when there is no such app. */
  view(appId: string): Promise<AppAccessView | null>
  /** All of it or nothing; null when there is no such app. `by` is an account, or null for an operator. */
  change(appId: string, change: AppAccessChange, by: string | null): Promise<AppAccessView | null>
  /**
   * The same for a signed-in person, who must be an admin of the app's workspace.
   * @throws DomainError `app_not_found` (also of workspaces that one is not in) | `role_required`
   */
  changeAs(accountId: string, appId: string, change: AppAccessChange): Promise<AppAccessView>
}

export function makeManageAppAccess({ apps, appAccess, memberships, unitOfWork, now }: Needs): ManageAppAccess {
  async function view(appId: string): Promise<AppAccessView | null> {
    const app = await apps.find(appId)
    return app === null ? null : { mode: app.accessMode, grants: await appAccess.grants(appId) }
  }

  const change: ManageAppAccess['change'] = (appId, { mode, grant = [], withdraw = [] }, by) =>
    unitOfWork(async () => {
      if ((await apps.find(appId)) === null) return null
      if (mode !== undefined) await appAccess.setMode(appId, mode)
      if (withdraw.length > 0) await appAccess.withdraw(appId, withdraw)
      if (grant.length > 0) await appAccess.grant(appId, grant, by, now())
      return view(appId)
    })

  return {
    view,
    change,
    async changeAs(accountId, appId, wanted) {
      const app = await apps.find(appId)
      const membership = app === null ? null : await memberships.find(accountId, app.workspaceId)
      if (membership === null) throw new DomainError('app_not_found', {})
      if (!atLeast(membership.role, 'admin')) throw new DomainError('role_required', { role: 'admin' })
      const view = await change(appId, wanted, accountId)
      if (view === null) throw new DomainError('app_not_found', {})
      return view
    },
  }
}
