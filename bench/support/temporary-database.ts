import { randomBytes } from 'node:crypto'
import type { EntityManager } from '@mikro-orm/sql'
import { sha256Hex } from '#adapters/crypto/digest.ts'
import { newId } from '#adapters/crypto/ids.ts'
import { openPostgres } from '#adapters/postgres/open-orm.ts'
import { ACCOUNT_ISSUER } from '#domain/subject.ts'
import { ACCOUNT_TOKEN, formatToken, TOKEN_RANDOM_BYTES } from '#domain/token-kind.ts'

/** A database of its own on the configured server. */
export type TemporaryDatabase = {
  readonly url: string
  /** Gives the person with `email` that many live tokens, each of a device of its own. */
  seedTokens(email: string, count: number): Promise<readonly string[]>
  /** Ends it, whoever is still connected. */
  drop(): Promise<void>
}

const SERVER_URL = process.env.DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres'
const DAY_MS = 86_400_000

export async function createTemporaryDatabase(): Promise<TemporaryDatabase> {
  const name = `latchkey_bench_${randomBytes(4).toString('hex')}`
  const server = await openPostgres({ url: SERVER_URL })
  await server.em.execute(`create database ${name}`)
  const url = new URL(SERVER_URL)
  url.pathname = `/${name}`
  return {
    url: url.href,
    async seedTokens(email, count) {
      const orm = await openPostgres({ url: url.href })
      try {
        return await seedTokens(orm.em, email, count)
      } finally {
        await orm.close()
      }
    },
    async drop() {
      await server.em.execute(`drop database if exists ${name} with (force)`)
      await server.close()
    },
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
