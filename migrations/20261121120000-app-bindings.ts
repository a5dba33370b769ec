import { Migration } from '@mikro-orm/migrations'

/** What workspaces bind the models, datasets and tools of app files to; keys are sealed before they come here. */
export class AppBindingsMigration extends Migration {
  override name = '20261121120000-app-bindings'

  override up(): void {
    this.addSql(`create table app_bindings (
      tenant_id uuid not null references tenants (id) on delete cascade,
      kind text not null check (kind in ('model', 'dataset', 'tool')),
      provider text not null,
      name text not null,
      target jsonb not null,
      sealed_key text,
      updated_at timestamptz not null,
      primary key (tenant_id, kind, provider, name)
    )`)
  }
}
