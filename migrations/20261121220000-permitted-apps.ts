import { Migration } from '@mikro-orm/migrations'

const COUNTED = `select tenant_id, mode, coalesce(access_mode, '') as access_mode, count(*)::int as apps`
const RUNNABLE = `status = 'normal' and enable_api`
const GROUPED = `where ${RUNNABLE} group by 1, 2, 3`

/**
 * How many apps can be run, by workspace, mode and access mode, kept by the database itself, so that the total of a
 * list costs no more than a page of it. Statement by statement: a thousand rows of one insert are one change.
 *
 * What leaves is only updated, never inserted: while a workspace is deleted its totals may be gone before its apps.
 * In a stable order, so that two who change many apps wait for each other instead of both failing.
 */
const FUNCTIONS = [
  `create function add_app_totals() returns trigger language plpgsql as $$
  begin
    insert into app_totals as held (tenant_id, mode, access_mode, apps)
      ${COUNTED} from added ${GROUPED} order by 1, 2, 3
      on conflict (tenant_id, mode, access_mode) do update set apps = held.apps + excluded.apps;
    return null;
  end $$`,
  `create function take_app_totals() returns trigger language plpgsql as $$
  begin
    update app_totals held set apps = held.apps - gone.apps
      from (${COUNTED} from removed ${GROUPED} order by 1, 2, 3) gone
      where held.tenant_id = gone.tenant_id and held.mode = gone.mode and held.access_mode = gone.access_mode;
    return null;
  end $$`,
  // Most updates change nothing that is counted, and then write nothing.
  `create function move_app_totals() returns trigger language plpgsql as $$
  begin
    insert into app_totals as held (tenant_id, mode, access_mode, apps)
      select tenant_id, mode, access_mode, sum(apps) from (
        ${COUNTED} from added ${GROUPED}
        union all
        select tenant_id, mode, access_mode, -apps from (${COUNTED} from removed ${GROUPED}) gone
      ) moved group by 1, 2, 3 having sum(apps) <> 0 order by 1, 2, 3
      on conflict (tenant_id, mode, access_mode) do update set apps = held.apps + excluded.apps;
    return null;
  end $$`,
]

/** Lists of apps whose cost does not grow with the apps that are there. */
export class PermittedAppsMigration extends Migration {
  override name = '20261121220000-permitted-apps'

  override up(): void {
    this.addSql(`create table app_totals (
      tenant_id uuid not null references tenants (id) on delete cascade,
      mode text not null,
      access_mode text not null,
      apps int not null,
      primary key (tenant_id, mode, access_mode)
    )`)
    for (const statement of FUNCTIONS) this.addSql(statement)
    const trigger = 'for each statement execute function'
    this.addSql(`create trigger apps_added after insert on apps
      referencing new table as added ${trigger} add_app_totals()`)
    this.addSql(`create trigger apps_removed after delete on apps
      referencing old table as removed ${trigger} take_app_totals()`)
    this.addSql(`create trigger apps_moved after update on apps
      referencing old table as removed new table as added ${trigger} move_app_totals()`)
    // The triggers hold writers off until all of this is done, so nothing is missed between them and this.
    this.addSql(`insert into app_totals (tenant_id, mode, access_mode, apps) ${COUNTED} from apps ${GROUPED}`)
    this.addSql('create index idx_app_totals_open on app_totals (access_mode, tenant_id) include (mode, apps)')

    this.addSql(
      `create index idx_apps_open on apps (access_mode, name, id) include (tenant_id, mode) where ${RUNNABLE}`,
    )
    this.addSql(`create index idx_apps_runnable on apps (tenant_id, mode, updated_at desc, id) where ${RUNNABLE}`)
    this.addSql(`create index idx_tenants_closed on tenants (id) where status <> 'normal'`)
  }
}
