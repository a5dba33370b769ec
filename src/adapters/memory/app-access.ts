import type { AppAccessStore } from '#application/ports/app-access.ts'
import type { AccessGrant } from '#domain/app-access.ts'
import { isUuid } from '#domain/uuid.ts'
import type { MemoryDatabase } from './database.ts'
import { ascending } from './ordering.ts'

/** Modes and grants of one process. */
export function createMemoryAppAccess(database: MemoryDatabase): AppAccessStore {
  const { apps, appAccess, workspaces } = database
  const keyOf = (appId: string, { type, value }: AccessGrant) => `${appId} ${type} ${value}`
  const holds = (appId: string, grants: readonly AccessGrant[]) =>
    grants.some((one) => appAccess.get(keyOf(appId, one)) !== undefined)

  return {
    setMode: (appId, accessMode) =>
      database.run(() => {
        const app = apps.get(appId)
        if (app !== undefined) apps.set(appId, { ...app, accessMode })
        return app !== undefined
      }),

    grants: (appId) =>
      database.run(() =>
        appAccess
          .rows()
          .filter((row) => row.appId === appId)
          .map(({ type, value }) => ({ type, value }))
          .toSorted((a, b) => ascending(a.type, b.type) || ascending(a.value, b.value)),
      ),

    grant: (appId, grants) =>
      database.run(() => {
        for (const one of grants) appAccess.set(keyOf(appId, one), { ...one, appId })
      }),

    withdraw: (appId, grants) =>
      database.run(() => {
        for (const one of grants) appAccess.delete(keyOf(appId, one))
      }),

    holdsAny: (appId, grants) => database.run(() => holds(appId, grants)),

    open: (grants, { page, limit, mode, name }) =>
      database.run(() => {
        const named = (app: { readonly id: string; readonly name: string }) =>
          name === undefined ||
          (isUuid(name) ? app.id === name.toLowerCase() : app.name.toLowerCase().includes(name.toLowerCase()))
        const ids = apps
          .rows()
          .filter((app) => app.status === 'normal' && app.apiEnabled && named(app))
          .filter((app) => workspaces.get(app.workspaceId)?.status === 'normal')
          .filter((app) => mode === undefined || app.mode === mode)
          .filter(
            ({ id, accessMode }) =>
              accessMode === 'public' ||
              accessMode === 'sso_verified' ||
              (accessMode === 'private' && holds(id, grants)),
          )
          .toSorted((a, b) => ascending(a.name, b.name) || ascending(a.id, b.id))
          .map(({ id }) => id)
        return { ids: ids.slice((page - 1) * limit, page * limit), total: ids.length }
      }),
  }
}
