import { Migration } from '@mikro-orm/migrations'

/** Whole apps are bound, too: to the server where they run. */
export class UpstreamAppsMigration extends Migration {
  override name = '20261121200000-upstream-apps'

  override up(): void {
    this.addSql('alter table app_bindings drop constraint app_bindings_kind_check')
    this.addSql(
      `alter table app_bindings add constraint app_bindings_kind_check
        check (kind in ('model', 'dataset', 'tool', 'app'))`,
    )
  }
}
