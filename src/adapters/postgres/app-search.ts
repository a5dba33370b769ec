import type { EntityManager } from '@mikro-orm/sql'
import type { AppQuery } from '#application/ports/app-catalog.ts'
import { isUuid } from '#domain/uuid.ts'
import { likePattern } from './like.ts'
import { type Parameter, rowOf, storableText } from './sql.ts'

/** How many apps a search finds. Kept ready by mode; where names, tags or apps switched off are asked for, counted. */
export async function totalOf(em: EntityManager, query: AppQuery): Promise<number> {
  const { workspaceId, mode, name = '', tag = '', apiOff = false } = query
  const isReady = name === '' && tag === '' && !apiOff
  const { where, parameters } = matching(query)
  const row = isReady
    ? await rowOf<{ total: number }>(
        em,
        `select coalesce(sum(apps), 0)::int as total from app_totals
          where tenant_id = ?${mode === undefined ? '' : ' and mode = ?'}`,
        mode === undefined ? [workspaceId] : [workspaceId, mode],
      )
    : await rowOf<{ total: number }>(em, `select count(*)::int as total from apps a where ${where}`, parameters)
  return row?.total ?? 0
}

/** Which rows `a` of `apps` a search means. */
export function matching(query: AppQuery): { readonly where: string; readonly parameters: readonly Parameter[] } {
  const conditions = [`a.tenant_id = ? and a.status = 'normal'${query.apiOff === true ? '' : ' and a.enable_api'}`]
  const parameters: Parameter[] = [query.workspaceId]
  if (query.mode !== undefined) {
    conditions.push('a.mode = ?')
    parameters.push(query.mode)
  }
  if (query.name !== undefined && query.name !== '') {
    const byId = isUuid(query.name)
    conditions.push(byId ? 'a.id = ?' : "a.name ilike ? escape '!'")
    parameters.push(byId ? query.name : likePattern(query.name))
  }
  if (query.tag !== undefined && query.tag !== '') {
    conditions.push(`exists (
      select 1 from tag_bindings b join tags on tags.id = b.tag_id
      where b.target_id = a.id and tags.tenant_id = a.tenant_id and tags.type = 'app' and tags.name = ?)`)
    parameters.push(storableText(query.tag))
  }
  return { where: conditions.join(' and '), parameters }
}
