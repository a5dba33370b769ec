import { randomBytes } from 'node:crypto'
import type { EntityManager } from '@mikro-orm/sql'
import { sha256Hex } from '#adapters/crypto/digest.ts'
import { newId } from '#adapters/crypto/ids.ts'
import { openPostgres } from '#adapters/postgres/open-orm.ts'
import { ACCOUNT_ISSUER } from '#domain/subject.ts'
import { ACCOUNT_TOKEN, formatToken, TOKEN_RANDOM_BYTES } from '#domain/token-kind.ts'
import { seedMany } from './seed-many.ts'

/** A database of its own on the configured server. */
export type TemporaryDatabase = {
  readonly url: string
  /** Gives the person with `email` that many live tokens, each of a device of its own. */
  seedTokens(email: string, count: number): Promise<readonly string[]>
  /** Fills it with that many live tokens of many people, of which it gives `sampled`. */
  seedMany(count: number, sampled: number): Promise<readonly string[]>
  /** Gives every workspace that many apps more, open to everybody from outside. */
  seedApps(count: number): Promise<void>
  /** Milliseconds of what `work` asks of the database. */
  times(work: (em: EntityManager) => Promise<unknown>, count: number): Promise<readonly number[]>
  /** Ends it, whoever is still connected. */
  drop(): Promise<void>
}

const SERVER_URL = process.env.DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres'
const DAY_MS = 86_400_000

/** A new, empty database on the configured server. */
export async function createDatabase(): Promise<{ readonly url: string; drop(): Promise<void> }> {
  const name = `latchkey_bench_${randomBytes(4).toString('hex')}`
  await asAdmin(`create database ${name}`)
  const url = new URL(SERVER_URL)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => asAdmin(`drop database if exists ${name} with (force)`) }
}

async function asAdmin(statement: string): Promise<void> {
  const server = await openPostgres({ url: SERVER_URL })
  try {
    await server.em.execute(statement)
  } finally {
    await server.close()
  }
}

export async function createTemporaryDatabase(): Promise<TemporaryDatabase> {
  const { url, drop } = await createDatabase()
  const inside = async <R>(work: (em: EntityManager) => Promise<R>) => {
    const orm = await openPostgres({ url })
    try {
      return await work(orm.em)
    } finally {
      await orm.close()
    }
  }
  return {
    url,
    seedTokens: (email, count) => inside((em) => seedTokens(em, email, count)),
    seedMany: (count, sampled) => inside((em) => seedMany(em, count, sampled)),
    seedApps: (count) => inside((em) => seedApps(em, count)),
    times: (work, count) =>
      inside(async (em) => {
        const delays: number[] = []
        for (let at = 0; at < count; at++) {
          const startedAtMs = performance.now()
          await work(em)
          delays.push(performance.now() - startedAtMs)
        }
        return delays
      }),
    drop,
  }
}

/** One statement for all: a mint each would take longer than the benchmark. */
async function seedTokens(em: EntityManager, email: string, count: number): Promise<readonly string[]> {
  const tokens = Array.from({ length: count }, () => formatToken(ACCOUNT_TOKEN, randomBytes(TOKEN_RANDOM_BYTES)))
  const rows = tokens.map((token, at) => ({ id: newId(), device_label: `bench ${at}`, token_hash: sha256Hex(token) }))
  await em.execute(
    `insert into oauth_access_tokens (id, subject_email, subject_issuer, account_id, client_id, device_label, prefix,
        token_hash, created_at, expires_at)
      select row.id, account.email, ?, account.id, 'latchkey', row.device_label, ?, row.token_hash, now(), ?
      from accounts account, jsonb_to_recordset(?::jsonb) as row(id uuid, device_label text, token_hash text)
      where account.email = ?`,
    [ACCOUNT_ISSUER, ACCOUNT_TOKEN.prefix, new Date(Date.now() + DAY_MS).toISOString(), JSON.stringify(rows), email],
  )
  await em.execute('analyze oauth_access_tokens')
  return tokens
}

async function seedApps(em: EntityManager, count: number): Promise<void> {
  await em.execute(
    `insert into apps (id, tenant_id, name, mode, access_mode, created_at, updated_at)
      select gen_random_uuid(), tenants.id, 'App ' || n, 'chat', 'public', now(), now() - n * interval '1 second'
      from tenants, generate_series(1, ?::int) n`,
    [count],
  )
  await em.execute('vacuum (analyze) apps')
}
