import type { EntityManager } from '@mikro-orm/sql'
import type { PermittedQuery } from '#application/ports/app-access.ts'
import type { AccessGrant } from '#domain/app-access.ts'
import { isUuid } from '#domain/uuid.ts'
import { likePattern } from './like.ts'
import { type Parameter, rowOf, rowsOf, storableText } from './sql.ts'

type Part = { readonly sql: string; readonly parameters: readonly Parameter[] }

const RUNNABLE = `a.status = 'normal' and a.enable_api`
/** As an exclusion: closed workspaces are few and have an index, and so cost nothing where there are none. */
const inOpenWorkspace = (id: string) => `not exists (select from tenants t where t.id = ${id} and t.status <> 'normal')`

/**
 * One page of what is open to whoever holds one of `grants`, by name, then by id.
 * Public apps, verified ones and granted ones are three reads of an index, each no longer than the end of the page: one
 * condition over all of them would read every app there is.
 */
export async function openApps(
  em: EntityManager,
  grants: readonly AccessGrant[],
  query: PermittedQuery,
): Promise<{ readonly ids: readonly string[]; readonly total: number }> {
  const counted = totalOf(grants, query)
  const row = await rowOf<{ total: number }>(em, counted.sql, counted.parameters)
  const total = row?.total ?? 0
  const offset = (query.page - 1) * query.limit
  if (offset >= total) return { ids: [], total }
  const parts = [...everybodys(query), granted(grants, query)]
  const sources = parts.map(({ sql }) => `(select a.id, a.name ${sql} order by a.name, a.id limit ?)`)
  const rows = await rowsOf<{ id: string }>(
    em,
    `select id from (${sources.join(' union all ')}) permitted order by name, id limit ? offset ?`,
    [...parts.flatMap(({ parameters }) => [...parameters, offset + query.limit]), query.limit, offset],
  )
  return { ids: rows.map(({ id }) => id), total }
}

/** Those open to everybody are counted ahead, unless a name is looked for. */
function totalOf(grants: readonly AccessGrant[], query: PermittedQuery): Part {
  const { mode, name = '' } = query
  const count = ({ sql, parameters }: Part) => ({ sql: `select count(*) as apps ${sql}`, parameters })
  const ready: Part = {
    sql: `select coalesce(sum(n.apps), 0) as apps from app_totals n
      where n.access_mode in ('public', 'sso_verified') and ${inOpenWorkspace('n.tenant_id')}
      ${mode === undefined ? '' : 'and n.mode = ?'}`,
    parameters: mode === undefined ? [] : [mode],
  }
  const parts = [...(name === '' ? [ready] : everybodys(query).map(count)), count(granted(grants, query))]
  return {
    sql: `select sum(apps)::int as total from (${parts.map(({ sql }) => sql).join(' union all ')}) counted`,
    parameters: parts.flatMap(({ parameters }) => parameters),
  }
}

function everybodys(query: PermittedQuery): readonly Part[] {
  const filter = filterOf(query)
  return ['public', 'sso_verified'].map((accessMode) => ({
    sql: `from apps a where a.access_mode = '${accessMode}' and ${RUNNABLE}
      and ${inOpenWorkspace('a.tenant_id')} ${filter.sql}`,
    parameters: filter.parameters,
  }))
}

function granted(grants: readonly AccessGrant[], query: PermittedQuery): Part {
  const filter = filterOf(query)
  // Written out: of a JSON list PostgreSQL expects so many rows that it would read the whole table.
  const list = grants.length === 0 ? '(null, null)' : grants.map(() => '(?, ?)').join(', ')
  return {
    sql: `from (
        select distinct held.app_id from app_access held where (held.subject_type, held.subject_id) in (${list})
      ) held join apps a on a.id = held.app_id
      where a.access_mode = 'private' and ${RUNNABLE} and ${inOpenWorkspace('a.tenant_id')} ${filter.sql}`,
    parameters: [...grants.flatMap(({ type, value }) => [type, storableText(value)]), ...filter.parameters],
  }
}

function filterOf({ mode, name = '' }: PermittedQuery): Part {
  const conditions: string[] = []
  const parameters: Parameter[] = []
  if (mode !== undefined) {
    conditions.push('and a.mode = ?')
    parameters.push(mode)
  }
  if (name !== '') {
    conditions.push(isUuid(name) ? 'and a.id = ?' : "and a.name ilike ? escape '!'")
    parameters.push(isUuid(name) ? name : likePattern(name))
  }
  return { sql: conditions.join(' '), parameters }
}
