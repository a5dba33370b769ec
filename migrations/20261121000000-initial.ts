import { Migration } from '@mikro-orm/migrations'

/**
 * Every table the wire contract names. Forward only; nothing newer than PostgreSQL 14, one statement a call
 * (the embedded database takes no more), and no question mark, which the query layer reads as a parameter.
 */
export class InitialMigration extends Migration {
  override name = '20261121000000-initial'

  override up(): void {
    for (const statement of [...PEOPLE, ...APPS, ...RUNS, ...TOKENS, ...AUDIT]) this.addSql(statement)
  }
}

const PEOPLE = [
  `create table accounts (
    id uuid primary key,
    email text not null,
    name text not null,
    password_hash text,
    status text not null check (status in ('pending', 'uninitialized', 'active', 'banned', 'closed')),
    created_at timestamptz not null,
    constraint uq_accounts_email unique (email)
  )`,
  `create table tenants (
    id uuid primary key,
    name text not null,
    status text not null default 'normal' check (status in ('normal', 'archive')),
    created_at timestamptz not null
  )`,
  `create table tenant_account_joins (
    tenant_id uuid not null references tenants (id) on delete cascade,
    account_id uuid not null references accounts (id) on delete cascade,
    role text not null check (role in ('owner', 'admin', 'editor', 'normal')),
    current boolean not null default false,
    created_at timestamptz not null,
    primary key (tenant_id, account_id)
  )`,
  'create index idx_tenant_account_joins_account on tenant_account_joins (account_id)',
  // One row at most: the primary key can only be true.
  `create table setups (
    id boolean primary key default true check (id),
    account_id uuid not null,
    created_at timestamptz not null
  )`,
  `create table console_refresh_tokens (
    hash varchar(64) primary key,
    family text not null,
    account_id uuid not null references accounts (id) on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz,
    ended_at timestamptz
  )`,
  'create index idx_console_refresh_tokens_family on console_refresh_tokens (family)',
  'create index idx_console_refresh_tokens_account on console_refresh_tokens (account_id)',
]

const APPS = [
  `create table apps (
    id uuid primary key,
    tenant_id uuid not null references tenants (id) on delete cascade,
    name text not null,
    description text not null default '',
    mode text not null,
    status text not null default 'normal',
    enable_api boolean not null default true,
    access_mode text,
    created_by uuid references accounts (id) on delete set null,
    created_at timestamptz not null,
    updated_at timestamptz not null
  )`,
  'create index idx_apps_tenant_updated on apps (tenant_id, updated_at desc, id)',
  `create table app_definitions (
    id uuid primary key,
    app_id uuid not null references apps (id) on delete cascade,
    kind text not null check (kind in ('published', 'draft')),
    dsl_version text not null,
    workflow jsonb,
    model_config jsonb,
    source text not null,
    created_by uuid references accounts (id) on delete set null,
    created_at timestamptz not null
  )`,
  'create index idx_app_definitions_app on app_definitions (app_id, kind, created_at desc, id desc)',
  `create table tags (
    id uuid primary key,
    tenant_id uuid not null references tenants (id) on delete cascade,
    type text not null default 'app',
    name text not null,
    created_by uuid references accounts (id) on delete set null,
    created_at timestamptz not null,
    constraint uq_tags_name unique (tenant_id, type, name)
  )`,
  `create table tag_bindings (
    tag_id uuid not null references tags (id) on delete cascade,
    target_id uuid not null,
    created_by uuid references accounts (id) on delete set null,
    created_at timestamptz not null,
    primary key (tag_id, target_id)
  )`,
  'create index idx_tag_bindings_target on tag_bindings (target_id)',
  `create table app_access (
    app_id uuid not null references apps (id) on delete cascade,
    subject_type text not null,
    subject_id text not null,
    created_by uuid references accounts (id) on delete set null,
    created_at timestamptz not null,
    primary key (app_id, subject_type, subject_id)
  )`,
  'create index idx_app_access_subject on app_access (subject_type, subject_id)',
]

const RUNS = [
  `create table end_users (
    id uuid primary key,
    tenant_id uuid not null references tenants (id) on delete cascade,
    app_id uuid not null references apps (id) on delete cascade,
    type text not null,
    issuer text not null default '',
    email text not null,
    name text,
    created_at timestamptz not null,
    constraint uq_end_users_subject unique (tenant_id, app_id, type, issuer, email)
  )`,
  `create table conversations (
    id uuid primary key,
    app_id uuid not null references apps (id) on delete cascade,
    owner_kind text not null check (owner_kind in ('account', 'end_user')),
    owner_id uuid not null,
    name text not null,
    status text not null,
    inputs jsonb not null,
    variables jsonb not null,
    created_at timestamptz not null
  )`,
  'create index idx_conversations_owner on conversations (app_id, owner_kind, owner_id, created_at desc)',
  `create table messages (
    id uuid primary key,
    conversation_id uuid references conversations (id) on delete cascade,
    app_id uuid not null references apps (id) on delete cascade,
    run_id uuid not null,
    parent_id uuid,
    owner_kind text not null check (owner_kind in ('account', 'end_user')),
    owner_id uuid not null,
    query text not null,
    answer text not null,
    status text not null check (status in ('normal', 'error', 'stopped')),
    error text,
    prompt_tokens integer not null,
    completion_tokens integer not null,
    total_tokens integer not null,
    created_at timestamptz not null
  )`,
  'create index idx_messages_conversation on messages (conversation_id, created_at desc, id desc)',
  'create index idx_messages_run on messages (run_id)',
  `create table workflow_runs (
    id uuid primary key,
    task_id uuid not null,
    tenant_id uuid not null references tenants (id) on delete cascade,
    app_id uuid not null references apps (id) on delete cascade,
    workflow_id text not null,
    mode text not null,
    owner_kind text not null check (owner_kind in ('account', 'end_user')),
    owner_id uuid not null,
    subject_email text,
    subject_issuer text,
    created_from text not null,
    status text not null,
    inputs jsonb not null,
    outputs jsonb,
    error text,
    prompt_tokens integer not null default 0,
    completion_tokens integer not null default 0,
    total_tokens integer not null default 0,
    total_steps integer not null default 0,
    exceptions_count integer not null default 0,
    elapsed_s double precision not null default 0,
    created_at timestamptz not null,
    finished_at timestamptz,
    constraint uq_workflow_runs_task unique (task_id)
  )`,
  'create index idx_workflow_runs_app on workflow_runs (app_id, created_at desc)',
]

const TOKENS = [
  // rotated_from: the digest that the last rotation replaced, so that the one upsert can tell which cache entry died.
  `create table oauth_access_tokens (
    id uuid primary key,
    subject_email text not null,
    subject_issuer text,
    account_id uuid references accounts (id) on delete set null,
    client_id varchar(64) not null,
    device_label text not null,
    prefix varchar(8) not null,
    token_hash varchar(64),
    rotated_from varchar(64),
    created_at timestamptz not null,
    last_used_at timestamptz,
    last_used_ip text,
    user_agent text,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    constraint uq_oauth_token_hash unique (token_hash)
  )`,
  'create index idx_oauth_subject_email on oauth_access_tokens (subject_email) where revoked_at is null',
  'create index idx_oauth_account on oauth_access_tokens (account_id) where revoked_at is null',
  'create index idx_oauth_client on oauth_access_tokens (subject_email, client_id) where revoked_at is null',
  'create index idx_oauth_token_hash on oauth_access_tokens (token_hash) where revoked_at is null',
  `create unique index uq_oauth_active_per_device
    on oauth_access_tokens (subject_email, subject_issuer, client_id, device_label) where revoked_at is null`,
  // What the pruner looks for.
  'create index idx_oauth_revoked_at on oauth_access_tokens (revoked_at) where revoked_at is not null',
  'create index idx_oauth_expires_at on oauth_access_tokens (expires_at) where revoked_at is null',
]

const AUDIT = [
  `create table audit_events (
    id bigint generated always as identity primary key,
    event text not null,
    facts jsonb not null,
    at timestamptz not null
  )`,
  'create index idx_audit_events_event on audit_events (event, at)',
  `create function refuse_audit_change() returns trigger language plpgsql as $$
    begin
      raise exception 'audit_events is append-only' using errcode = 'insufficient_privilege';
    end
  $$`,
  // Per statement, so that one which matches no row is refused as well.
  `create trigger audit_events_append_only before update or delete or truncate on audit_events
    for each statement execute function refuse_audit_change()`,
]
