import { Migration } from '@mikro-orm/migrations'

/** What each node of a run did, for operators; without secrets, and cut to size before it comes here. */
export class NodeTracesMigration extends Migration {
  override name = '20261121210000-node-traces'

  override up(): void {
    this.addSql(`create table workflow_node_executions (
      run_id uuid not null references workflow_runs (id) on delete cascade,
      execution_id text not null,
      index integer not null,
      node_id text not null,
      node_type text not null,
      title text not null,
      status text not null,
      inputs jsonb not null,
      outputs jsonb not null,
      error text,
      elapsed_ms bigint not null,
      started_at timestamptz not null,
      prompt_tokens integer not null,
      completion_tokens integer not null,
      total_tokens integer not null,
      primary key (run_id, execution_id)
    )`)
    this.addSql('create index idx_workflow_node_executions_started on workflow_node_executions (started_at)')
  }
}
