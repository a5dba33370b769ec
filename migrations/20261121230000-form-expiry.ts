import { Migration } from '@mikro-orm/migrations'

/** When the first form of a paused run expires, so that those past it are found without reading all. */
export class FormExpiryMigration extends Migration {
  override name = '20261121230000-form-expiry'

  override up(): void {
    this.addSql('alter table run_pauses add column expires_at timestamptz')
    this.addSql(`update run_pauses set expires_at = (
      select to_timestamp(min((waiting #>> '{form,expiresAtMs}')::float8) / 1000)
        from jsonb_array_elements(forms) as waiting
    )`)
    this.addSql('create index idx_run_pauses_expires on run_pauses (expires_at)')
  }
}
