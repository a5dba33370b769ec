import { Migration } from '@mikro-orm/migrations'

/** What a run is joined by, and when its process was last heard of: by the database's clock, since servers differ. */
export class FollowedRunsMigration extends Migration {
  override name = '20261121170000-followed-runs'

  override up(): void {
    this.addSql(`alter table workflow_runs add column message_id uuid, add column conversation_id uuid,
      add column heard_at timestamptz not null default now()`)
    this.addSql(`create index idx_workflow_runs_heard on workflow_runs (heard_at) where status = 'running'`)
  }
}
