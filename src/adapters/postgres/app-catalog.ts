import type { EntityManager } from '@mikro-orm/sql'
import type { AppCatalog, NewVersion } from '#application/ports/app-catalog.ts'
import type { App, AppDefinition } from '#domain/app.ts'
import { pageOf } from '#domain/page.ts'
import { isUuid } from '#domain/uuid.ts'
import { matching, totalOf } from './app-search.ts'
import { AppDefinitionRow, AppRow } from './schema.ts'
import { epochMs, instant, type Parameter, rowOf, rowsOf, storableJson, storableText } from './sql.ts'
import { translateErrors } from './translate-errors.ts'

/** Workspace, author and tags come with the rows, so a page costs one query whatever its length. */
const APP = `select a.id, a.tenant_id as "workspaceId", t.name as "workspaceName", t.status as "workspaceStatus",
    a.name, a.description, a.mode, a.status, a.enable_api as "apiEnabled", a.access_mode as "accessMode",
    coalesce((
      select json_agg(tags.name order by tags.name) from tag_bindings b join tags on tags.id = b.tag_id
      where b.target_id = a.id and tags.type = 'app'
    ), '[]'::json) as tags,
    author.name as "authorName", ${epochMs('a.updated_at', 'updatedAtMs')}
  from apps a join tenants t on t.id = a.tenant_id left join accounts author on author.id = a.created_by`

const DEFINITION = `select id, app_id as "appId", kind, dsl_version as "dslVersion", workflow,
    model_config as "modelConfig"
  from app_definitions`

/** Apps in `apps`, their versions in `app_definitions`. */
export function createPostgresAppCatalog(em: EntityManager): AppCatalog {
  return translateErrors<AppCatalog>({
    async search(query) {
      const { where, parameters } = matching(query)
      const total = await totalOf(em, query)
      const offset = (query.page - 1) * query.limit
      // Nothing is joined for an empty page.
      if (offset >= total) return pageOf(query, total, [])
      const apps = await rowsOf<App>(em, `${APP} where ${where} order by a.updated_at desc, a.id limit ? offset ?`, [
        ...parameters,
        query.limit,
        offset,
      ])
      return pageOf(query, total, apps)
    },

    async find(appId) {
      return isUuid(appId) ? rowOf<App>(em, `${APP} where a.id = ?`, [appId]) : null
    },

    async findMany(appIds) {
      const ids = appIds.filter(isUuid)
      if (ids.length === 0) return []
      return rowsOf<App>(em, `${APP} where a.id in (${ids.map(() => '?').join(', ')})`, ids)
    },

    async definition(appId, definitionId) {
      const found = versionOf(appId, definitionId)
      return found === null ? null : rowOf<AppDefinition>(em, `${DEFINITION} ${found.where}`, found.parameters)
    },

    async source(appId, definitionId) {
      const found = versionOf(appId, definitionId)
      if (found === null) return null
      const row = await rowOf<{ source: string }>(
        em,
        `select source from app_definitions ${found.where}`,
        found.parameters,
      )
      return row?.source ?? null
    },

    async add(app) {
      const createdAt = new Date(app.createdAtMs)
      await em.transactional(async () => {
        await em.insert(AppRow, {
          id: app.id,
          tenantId: app.workspaceId,
          name: storableText(app.name),
          description: storableText(app.description),
          mode: app.mode,
          createdBy: app.createdBy,
          createdAt,
          updatedAt: createdAt,
        })
        await insertDefinition(em, app)
      })
    },

    async addVersion(version) {
      if (!isUuid(version.id)) return false
      return em.transactional(async () => {
        const changed = await rowOf(
          em,
          'update apps set name = ?, description = ?, updated_at = ? where id = ? returning id',
          [storableText(version.name), storableText(version.description), instant(version.createdAtMs), version.id],
        )
        if (changed !== null) await insertDefinition(em, version)
        return changed !== null
      })
    },

    async setApi(appId, enabled, atMs) {
      if (!isUuid(appId)) return false
      const statement = 'update apps set enable_api = ?, updated_at = ? where id = ? returning id'
      return (await rowOf(em, statement, [enabled, instant(atMs), appId])) !== null
    },

    async publish(appId, newId, atMs) {
      if (!isUuid(appId)) return null
      return em.transactional(async () => {
        // Of two at once the second finds nothing newer.
        await rowsOf(em, 'select id from apps where id = ? for update', [appId])
        await rowsOf(em, PUBLISH, [newId, instant(atMs), appId, appId])
        const row = await rowOf<{ atMs: number }>(
          em,
          `select ${epochMs('created_at', 'atMs')} from app_definitions where app_id = ? and kind = 'published'
            order by created_at desc, id desc limit 1`,
          [appId],
        )
        return row?.atMs ?? null
      })
    },
  })
}

/** Copies the latest draft, unless something was published since. */
const PUBLISH = `insert into app_definitions
    (id, app_id, kind, dsl_version, workflow, model_config, source, created_by, created_at)
  select ?::uuid, draft.app_id, 'published', draft.dsl_version, draft.workflow, draft.model_config, draft.source,
    draft.created_by, ?::timestamptz
  from (
    select * from app_definitions where app_id = ? and kind = 'draft' order by created_at desc, id desc limit 1
  ) draft
  where not exists (
    select 1 from app_definitions p where p.app_id = ? and p.kind = 'published' and p.created_at >= draft.created_at
  ) returning id`

async function insertDefinition(em: EntityManager, { id, definition, source, createdBy, createdAtMs }: NewVersion) {
  await em.insert(AppDefinitionRow, {
    id: definition.id,
    appId: id,
    kind: definition.kind,
    dslVersion: storableText(definition.dslVersion),
    workflow: definition.workflow === null ? null : storableJson(definition.workflow),
    modelConfig: definition.modelConfig === null ? null : storableJson(definition.modelConfig),
    source: storableText(source),
    createdBy,
    createdAt: new Date(createdAtMs),
  })
}

/** Which row is meant: the published one in force, or one by its id. Null when an id is none. */
function versionOf(
  appId: string,
  definitionId: string | undefined,
): { readonly where: string; readonly parameters: readonly Parameter[] } | null {
  if (!isUuid(appId)) return null
  if (definitionId === undefined) {
    const where = `where app_id = ? and kind = 'published' order by created_at desc, id desc limit 1`
    return { where, parameters: [appId] }
  }
  return isUuid(definitionId) ? { where: 'where app_id = ? and id = ?', parameters: [appId, definitionId] } : null
}
