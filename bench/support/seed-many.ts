import { randomBytes } from 'node:crypto'
import type { EntityManager } from '@mikro-orm/sql'
import { sha256Hex } from '#adapters/crypto/digest.ts'
import { ACCOUNT_ISSUER } from '#domain/subject.ts'
import { ACCOUNT_TOKEN, formatToken, TOKEN_RANDOM_BYTES } from '#domain/token-kind.ts'

const TOKENS_AN_ACCOUNT = 10
const ACCOUNTS_A_WORKSPACE = 100

/**
 * Fills a migrated database with `count` live tokens of `count / 10` people in workspaces of a hundred. `sampled` of
 * them, evenly spread over all rows, are tokens that can be used, and are returned; of the others there is a digest.
 */
export async function seedMany(em: EntityManager, count: number, sampled: number): Promise<readonly string[]> {
  const tokens = Array.from({ length: sampled }, () => formatToken(ACCOUNT_TOKEN, randomBytes(TOKEN_RANDOM_BYTES)))
  const step = Math.floor(count / sampled)
  const sample = tokens.map((token, at) => ({ n: at * step, token_hash: sha256Hex(token) }))
  const accounts = Math.ceil(count / TOKENS_AN_ACCOUNT)
  const salt = randomBytes(16).toString('hex')
  const dropped = [
    ...(await dropConstraints(em, 'oauth_access_tokens')),
    ...(await dropIndexes(em, 'oauth_access_tokens')),
  ]
  for (const [statement, parameters] of [
    [
      `insert into tenants (id, name, created_at)
        select ${idOf('workspace', 'n')}, 'Workspace ' || n, now() from generate_series(0, ?::int) n`,
      [Math.floor((accounts - 1) / ACCOUNTS_A_WORKSPACE)],
    ],
    [
      `insert into accounts (id, email, name, status, created_at)
        select ${idOf('account', 'n')}, 'person' || n || '@example.com', 'Person ' || n, 'active', now()
        from generate_series(0, ?::int) n`,
      [accounts - 1],
    ],
    [
      `insert into tenant_account_joins (tenant_id, account_id, role, current, created_at)
        select ${idOf('workspace', `n / ${ACCOUNTS_A_WORKSPACE}`)}, ${idOf('account', 'n')}, 'normal', true, now()
        from generate_series(0, ?::int) n`,
      [accounts - 1],
    ],
    [
      `insert into oauth_access_tokens (id, subject_email, subject_issuer, account_id, client_id, device_label, prefix,
          token_hash, created_at, expires_at)
        select gen_random_uuid(), 'person' || n / ${TOKENS_AN_ACCOUNT} || '@example.com', ?,
          ${idOf('account', `n / ${TOKENS_AN_ACCOUNT}`)}, 'latchkey', 'device ' || n % ${TOKENS_AN_ACCOUNT}, ?,
          coalesce(sample.token_hash, encode(sha256(convert_to(? || n, 'UTF8')), 'hex')),
          now() - random() * interval '13 days', now() + random() * interval '13 days' + interval '1 day'
        from generate_series(0, ?::int) n
        left join jsonb_to_recordset(?::jsonb) as sample(n int, token_hash text) using (n)`,
      [ACCOUNT_ISSUER, ACCOUNT_TOKEN.prefix, salt, count - 1, JSON.stringify(sample)],
    ],
  ] as const) {
    await em.execute(statement, [...parameters])
  }
  for (const { definition } of dropped) await em.execute(definition)
  // What autovacuum would do soon, and then in the middle of a measurement.
  for (const table of ['tenants', 'accounts', 'tenant_account_joins', 'oauth_access_tokens']) {
    await em.execute(`vacuum (analyze) ${table}`)
  }
  return tokens
}

/** The same number gives the same id, so that rows find each other without a look-up. */
function idOf(what: 'account' | 'workspace', number: string): string {
  return `md5('${what} ' || (${number}))::uuid`
}

/** Keys, own and foreign: checked at once over all rows, each costs a fraction as well. */
async function dropConstraints(em: EntityManager, table: string): Promise<readonly { readonly definition: string }[]> {
  const constraints = await em.execute<{ name: string; definition: string }[]>(
    `select conname as name,
        format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as definition
      from pg_constraint where conrelid = ?::regclass and contype in ('p', 'u', 'f')`,
    [table],
  )
  for (const { name } of constraints) await em.execute(`alter table ${table} drop constraint ${name}`)
  return constraints
}

/** Built at once over all rows, an index costs a fraction of what it does row by row. Gives what makes them again. */
async function dropIndexes(em: EntityManager, table: string): Promise<readonly { readonly definition: string }[]> {
  const indexes = await em.execute<{ name: string; definition: string }[]>(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition from pg_index
      where indrelid = ?::regclass and not exists (select 1 from pg_constraint where conindid = indexrelid)`,
    [table],
  )
  for (const { name } of indexes) await em.execute(`drop index ${name}`)
  return indexes
}
