import { Migration } from '@mikro-orm/migrations'

/** What a person and a workspace have stored is summed at each upload, from the index alone. */
export class UploadQuotaMigration extends Migration {
  override name = '20261122000000-upload-quota'

  override up(): void {
    this.addSql('create index idx_upload_files_owner on upload_files (owner_id, owner_kind) include (size)')
    this.addSql('create index idx_upload_files_tenant on upload_files (tenant_id) include (size)')
  }
}
