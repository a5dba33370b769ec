import { Migration } from '@mikro-orm/migrations'

/** What is known of uploaded files; their bytes are on disk or in an object store. */
export class UploadFilesMigration extends Migration {
  override name = '20261121180000-upload-files'

  override up(): void {
    this.addSql(`create table upload_files (
      id uuid primary key,
      tenant_id uuid not null references tenants (id) on delete cascade,
      app_id uuid not null references apps (id) on delete cascade,
      owner_kind text not null check (owner_kind in ('account', 'end_user')),
      owner_id uuid not null,
      name text not null,
      extension text not null,
      mime_type text not null,
      size bigint not null,
      created_at timestamptz not null
    )`)
    this.addSql('create index idx_upload_files_created on upload_files (created_at)')
  }
}
