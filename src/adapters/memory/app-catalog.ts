import type { AppCatalog, AppQuery } from '#application/ports/app-catalog.ts'
import type { App, AppDefinition } from '#domain/app.ts'
import { pageOf } from '#domain/page.ts'
import { isUuid } from '#domain/uuid.ts'
import type { AppRow, DefinitionRow, MemoryDatabase } from './database.ts'
import { ascending, descending } from './ordering.ts'

/** Apps of one process. */
export function createMemoryAppCatalog(database: MemoryDatabase): AppCatalog {
  const { accounts, apps, definitions, workspaces } = database
  const toApp = (row: AppRow): App[] => {
    const workspace = workspaces.get(row.workspaceId)
    if (workspace === undefined) return []
    const { createdBy, createdAtMs: _createdAtMs, ...rest } = row
    return [
      {
        ...rest,
        workspaceName: workspace.name,
        workspaceStatus: workspace.status,
        tags: row.tags.toSorted(ascending),
        authorName: createdBy === null ? null : (accounts.get(createdBy)?.name ?? null),
      },
    ]
  }

  const definitionRow = (appId: string, definitionId: string | undefined): DefinitionRow | undefined => {
    const own = definitions.rows().filter((row) => row.appId === appId)
    if (definitionId !== undefined) return own.find((row) => row.id === definitionId)
    const published = own.filter((row) => row.kind === 'published')
    return published.toSorted((a, b) => descending(a.createdAtMs, b.createdAtMs) || descending(a.id, b.id))[0]
  }

  return {
    search: (query) =>
      database.run(() => {
        const found = apps
          .rows()
          .filter((row) => matches(row, query))
          .toSorted((a, b) => descending(a.updatedAtMs, b.updatedAtMs) || ascending(a.id, b.id))
        const offset = (query.page - 1) * query.limit
        return pageOf(query, found.length, found.slice(offset, offset + query.limit).flatMap(toApp))
      }),

    find: (appId) =>
      database.run(() => {
        const row = apps.get(appId)
        return row === undefined ? null : (toApp(row)[0] ?? null)
      }),

    findMany: (appIds) =>
      database.run(() =>
        appIds.flatMap((id) => {
          const row = apps.get(id.toLowerCase())
          return row === undefined ? [] : toApp(row)
        }),
      ),

    definition: (appId, definitionId) =>
      database.run(() => {
        const found = definitionRow(appId, definitionId)
        return found === undefined ? null : toDefinition(found)
      }),

    source: (appId, definitionId) => database.run(() => definitionRow(appId, definitionId)?.source ?? null),

    add: (app) =>
      database.run(() => {
        const { definition, source, ...row } = app
        apps.set(app.id, {
          ...row,
          status: 'normal',
          apiEnabled: true,
          accessMode: null,
          tags: [],
          updatedAtMs: app.createdAtMs,
        })
        definitions.set(definition.id, { ...definition, appId: app.id, source, createdAtMs: app.createdAtMs })
      }),

    addVersion: ({ id, name, description, definition, source, createdAtMs }) =>
      database.run(() => {
        const app = apps.get(id)
        if (app === undefined) return false
        apps.set(id, { ...app, name, description, updatedAtMs: createdAtMs })
        definitions.set(definition.id, { ...definition, appId: id, source, createdAtMs })
        return true
      }),

    setApi: (appId, apiEnabled, atMs) =>
      database.run(() => {
        const app = apps.get(appId)
        if (app === undefined) return false
        apps.set(appId, { ...app, apiEnabled, updatedAtMs: atMs })
        return true
      }),

    publish: (appId, newId, atMs) =>
      database.run(() => {
        const published = definitionRow(appId, undefined)
        const drafts = definitions.rows().filter((row) => row.appId === appId && row.kind === 'draft')
        const [draft] = drafts.toSorted((a, b) => descending(a.createdAtMs, b.createdAtMs) || descending(a.id, b.id))
        if (draft === undefined || (published !== undefined && published.createdAtMs >= draft.createdAtMs)) {
          return published?.createdAtMs ?? null
        }
        definitions.set(newId, { ...draft, id: newId, kind: 'published', createdAtMs: atMs })
        return atMs
      }),
  }
}

function matches(row: AppRow, { workspaceId, mode, name, tag, apiOff }: AppQuery): boolean {
  const named =
    name === undefined ||
    (isUuid(name) ? row.id === name.toLowerCase() : row.name.toLowerCase().includes(name.toLowerCase()))
  return (
    row.workspaceId === workspaceId &&
    row.status === 'normal' &&
    (row.apiEnabled || apiOff === true) &&
    named &&
    (mode === undefined || row.mode === mode) &&
    (tag === undefined || tag === '' || row.tags.includes(tag))
  )
}

function toDefinition({ source: _source, createdAtMs: _createdAtMs, ...definition }: DefinitionRow): AppDefinition {
  return definition
}
