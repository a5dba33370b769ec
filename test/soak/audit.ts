import type { Orm } from '#adapters/postgres/open-orm.ts'
import type { Entry } from './history.ts'

type Counted = { readonly of: string; readonly rows: number }

/** What the database holds against the acknowledged effects: one live row a device, and an audit row for each of them. */
export async function violationsIn(orm: Orm, entries: readonly Entry[]): Promise<string[]> {
  const ask = (statement: string) => orm.em.fork().execute<Counted[]>(statement)
  const live = await ask(
    `select device_label as of, count(*)::int as rows from oauth_access_tokens
      where revoked_at is null group by 1 having count(*) > 1`,
  )
  const rows = await ask(
    `select event || ' ' || coalesce(case when event in ('oauth.device_flow_approved', 'oauth.device_flow_denied')
        then facts->>'device_label' else facts->>'token_id' end, '') as of, count(*)::int as rows
      from audit_events group by 1`,
  )
  const audited = new Map(rows.map(({ of, rows: count }) => [of, count]))
  const acknowledged = new Map<string, number>()
  for (const entry of entries) {
    const key = auditKeyOf(entry)
    if (key !== null) acknowledged.set(key, (acknowledged.get(key) ?? 0) + 1)
  }
  return [
    ...live.map(({ of, rows: count }) => `${of}: ${count} live rows`),
    ...[...acknowledged]
      .filter(([key, count]) => (audited.get(key) ?? 0) < count)
      .map(([key, count]) => `${key}: ${count} acknowledged, ${audited.get(key) ?? 0} in the audit`),
    // A row ends once, however many asked for it.
    ...rows
      .filter(({ of, rows: count }) => of.startsWith('oauth.token_revoked ') && count > 1)
      .map(({ of, rows: count }) => `${of}: ${count} times in the audit`),
  ]
}

/** The audit rows that an acknowledged effect must have; a second revoke of one row is acknowledged too. */
function auditKeyOf({ did, outcome, device, tokenId }: Entry): string | null {
  if (outcome !== 'done') return null
  switch (did) {
    case 'approve':
      return `oauth.device_flow_approved ${device}`
    case 'deny':
      return `oauth.device_flow_denied ${device}`
    case 'poll':
      return `oauth.token_picked_up ${tokenId}`
    case 'run':
      return `app.run.openapi ${tokenId}`
    default:
      return null
  }
}

/** Rows that were acknowledged as revoked and are not. */
export async function unrevoked(orm: Orm, entries: readonly Entry[]): Promise<string[]> {
  const ids = [
    ...new Set(entries.flatMap((one) => (one.did === 'revoke' && one.outcome === 'done' ? (one.tokenId ?? []) : []))),
  ]
  if (ids.length === 0) return []
  const live = await orm.em
    .fork()
    .execute<{ id: string }[]>(
      `select id from oauth_access_tokens where revoked_at is null and id in (${ids.map(() => '?').join(',')})`,
      ids,
    )
  const audited = await orm.em
    .fork()
    .execute<{ id: string }[]>(`select facts->>'token_id' as id from audit_events where event = 'oauth.token_revoked'`)
  const told = new Set(audited.map(({ id }) => id))
  return [
    ...live.map(({ id }) => `${id}: an acknowledged revoke is undone`),
    ...ids.filter((id) => !told.has(id)).map((id) => `${id}: revoked, and not in the audit`),
  ]
}
