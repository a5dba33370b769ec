import { Migration } from '@mikro-orm/migrations'

/** App files of a newer format that wait for their confirmation; short-lived rows. */
export class LaterSurfaceMigration extends Migration {
  override name = '20261121190000-later-surface'

  override up(): void {
    this.addSql(`create table pending_imports (
      id uuid primary key,
      tenant_id uuid not null references tenants (id) on delete cascade,
      account_id uuid not null references accounts (id) on delete cascade,
      source text not null,
      choices jsonb not null,
      created_at timestamptz not null
    )`)
    this.addSql('create index idx_pending_imports_account on pending_imports (account_id, created_at desc)')
    this.addSql('create index idx_pending_imports_age on pending_imports (created_at)')
  }
}
