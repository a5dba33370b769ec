import { Migration } from '@mikro-orm/migrations'

/** Each day's pruning looks for browsers' sign-ins that have run out. */
export class SignInExpiryMigration extends Migration {
  override name = '20261122010000-sign-in-expiry'

  override up(): void {
    this.addSql('create index idx_console_refresh_tokens_expires_at on console_refresh_tokens (expires_at)')
  }
}
