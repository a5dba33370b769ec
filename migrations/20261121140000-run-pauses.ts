import { Migration } from '@mikro-orm/migrations'

/** Runs that wait for people: where they stood, and the hashes of the tokens that answer their forms. */
export class RunPausesMigration extends Migration {
  override name = '20261121140000-run-pauses'

  override up(): void {
    this.addSql(`create table run_pauses (
      run_id uuid primary key references workflow_runs (id) on delete cascade,
      ids jsonb not null,
      request jsonb not null,
      state jsonb not null,
      forms jsonb not null,
      paused_at timestamptz not null
    )`)
    this.addSql('create index idx_run_pauses_forms on run_pauses using gin (forms jsonb_path_ops)')
  }
}
