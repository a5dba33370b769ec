import { Migration } from '@mikro-orm/migrations'

/** People known only to an identity provider: their groups, and who is shut out. Issuer '*' blocks at every issuer. */
export class ExternalSubjectsMigration extends Migration {
  override name = '20261121130000-external-subjects'

  override up(): void {
    this.addSql(`create table external_subjects (
      email text not null,
      issuer text not null,
      sub text,
      groups jsonb not null default '[]',
      signed_on_at timestamptz,
      blocked_at timestamptz,
      primary key (email, issuer)
    )`)
    this.addSql('alter table end_users add column session_id text')
    this.addSql('create index idx_external_subjects_sub on external_subjects (issuer, sub) where sub is not null')
  }
}
