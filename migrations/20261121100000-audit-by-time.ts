import { Migration } from '@mikro-orm/migrations'

/** Reading the audit log from an instant on must not read all of it. */
export class AuditByTimeMigration extends Migration {
  override name = '20261121100000-audit-by-time'

  override up(): void {
    this.addSql('create index idx_audit_events_at on audit_events (at, id)')
  }
}
