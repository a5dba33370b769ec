import type { EntityManager } from '@mikro-orm/sql'

const id = (what: string, number: string) => `md5('${what} ' || (${number}))::uuid`

/** One statement a table. `n` runs from 1; rows of one person, workspace or app lie apart, as they do after a while. */
const ROWS: readonly (readonly [table: string, count: number, statement: string])[] = [
  ['tenants', 5_000, `(id, name, created_at) select ${id('tenant', 'n')}, 'Workspace ' || n, now()`],
  [
    'accounts',
    20_000,
    `(id, email, name, status, created_at)
      select ${id('account', 'n')}, 'person' || n || '@many.example', 'Person ' || n, 'active', now()`,
  ],
  [
    'tenant_account_joins',
    20_000,
    `(tenant_id, account_id, role, created_at)
      select ${id('tenant', '1 + n % 5000')}, ${id('account', 'n')}, 'normal', now()`,
  ],
  [
    'console_refresh_tokens',
    20_000,
    `(hash, family, account_id, expires_at)
      select 'hash' || n, 'family' || n % 5000, ${id('account', 'n')}, now() + interval '1 day'`,
  ],
  [
    // One in a hundred is dead.
    'oauth_access_tokens',
    50_000,
    `(id, subject_email, subject_issuer, account_id, client_id, device_label, prefix, token_hash, created_at,
        expires_at, revoked_at)
      select ${id('token', 'n')}, 'person' || 1 + n % 20000 || '@many.example', 'dify:account',
        ${id('account', '1 + n % 20000')}, 'difyctl', 'device ' || n, 'dfoa_',
        case when n % 100 > 0 then encode(sha256(n::text::bytea), 'hex') end, now(), now() + interval '10 days',
        case when n % 100 = 0 then now() end`,
  ],
  [
    'apps',
    20_000,
    `(id, tenant_id, name, mode, access_mode, created_by, created_at, updated_at)
      select ${id('app', 'n')}, ${id('tenant', '1 + n % 5000')}, 'App ' || n, 'chat', 'private',
        ${id('account', 'n')}, now(), now()`,
  ],
  [
    'app_definitions',
    20_000,
    `(id, app_id, kind, dsl_version, source, created_at)
      select ${id('definition', 'n')}, ${id('app', 'n')}, 'published', '0.3.1', '', now()`,
  ],
  [
    'tags',
    20_000,
    `(id, tenant_id, name, created_at) select ${id('tag', 'n')}, ${id('tenant', '1 + n % 5000')}, 'tag ' || n, now()`,
  ],
  ['tag_bindings', 20_000, `(tag_id, target_id, created_at) select ${id('tag', 'n')}, ${id('app', 'n')}, now()`],
  [
    'app_access',
    20_000,
    `(app_id, subject_type, subject_id, created_at)
      select ${id('app', 'n')}, 'account', ${id('account', 'n')}::text, now()`,
  ],
  [
    'end_users',
    20_000,
    `(id, tenant_id, app_id, type, email, created_at)
      select ${id('user', 'n')}, ${id('tenant', '1 + n % 5000')}, ${id('app', 'n')}, 'openapi', 'e' || n, now()`,
  ],
  [
    'conversations',
    20_000,
    `(id, app_id, owner_kind, owner_id, name, status, inputs, variables, created_at)
      select ${id('conversation', 'n')}, ${id('app', 'n')}, 'account', ${id('account', 'n')}, '', 'normal', '{}', '{}',
        now()`,
  ],
  [
    'messages',
    40_000,
    `(id, conversation_id, app_id, run_id, owner_kind, owner_id, query, answer, status, prompt_tokens,
        completion_tokens, total_tokens, created_at)
      select ${id('message', 'n')}, ${id('conversation', '1 + n % 20000')}, ${id('app', '1 + n % 20000')},
        ${id('run', 'n')}, 'account', ${id('account', '1 + n % 20000')}, 'q', 'a', 'normal', 0, 0, 0, now()`,
  ],
  [
    'workflow_runs',
    40_000,
    `(id, task_id, tenant_id, app_id, workflow_id, mode, owner_kind, owner_id, created_from, status, inputs, created_at)
      select ${id('run', 'n')}, ${id('task', 'n')}, ${id('tenant', '1 + n % 5000')}, ${id('app', '1 + n % 20000')}, '',
        'chat', 'account', ${id('account', '1 + n % 20000')}, 'openapi', 'succeeded', '{}', now()`,
  ],
  [
    'external_subjects',
    20_000,
    `(email, issuer, sub, signed_on_at) select 'e' || n, 'https://idp.example', 'sub' || n, now()`,
  ],
  // The years before; `now()` is far from the clock of tests.
  [
    'audit_events',
    40_000,
    `(event, facts, at) select 'oauth.token_expired', '{}', timestamptz '2020-01-01' + n * interval '1 minute'`,
  ],
]

/** The tables that `seedManyRows` fills. */
export const CROWDED: ReadonlySet<string> = new Set(ROWS.map(([table]) => table))

/** Fills the tables as years of use would, so far that reading one from end to end costs more than any index. */
export async function seedManyRows(em: EntityManager): Promise<void> {
  for (const [table, count, statement] of ROWS) {
    await em.execute(`insert into ${table} ${statement} from generate_series(1, ${count}) n`)
  }
  // Without statistics the planner guesses.
  for (const table of CROWDED) await em.execute(`vacuum (analyze) ${table}`)
}
