import type { EntityManager } from '@mikro-orm/sql'
import type { JsonObject } from '#domain/app.ts'

/** A value that a `?` in a statement stands for. */
export type Parameter = string | number | boolean | null

/** Rows of a statement, run in the caller's transaction when there is one. `Row` is what the statement selects. */
export async function rowsOf<Row extends object>(
  em: EntityManager,
  statement: string,
  parameters: readonly Parameter[],
): Promise<readonly Row[]> {
  // The statement and `Row` stand beside each other at every call; the driver cannot know the type.
  return em.execute<Row[]>(statement, [...parameters])
}

/** The first row, or null. */
export async function rowOf<Row extends object>(
  em: EntityManager,
  statement: string,
  parameters: readonly Parameter[],
): Promise<Row | null> {
  return (await rowsOf<Row>(em, statement, parameters))[0] ?? null
}

/** An instant as a statement takes it. */
export function instant(atMs: number): string {
  return new Date(atMs).toISOString()
}

/** Selects a `timestamptz` column as epoch milliseconds, whatever the session's time zone. */
export function epochMs(column: string, as: string): string {
  return `(extract(epoch from ${column}) * 1000)::float8 as "${as}"`
}

/** Text without U+0000, which PostgreSQL cannot hold but callers and models can send. */
export function storableText(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text
}

/** JSON without U+0000 and lone surrogates, which `jsonb` refuses but callers and models can send. */
export function storableJson(value: JsonObject): JsonObject {
  const text = JSON.stringify(value)
  if (!SUSPECT.test(text)) return value
  return JSON.parse(text, (_key, part: unknown) => {
    if (typeof part === 'string') return clean(part)
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    return Object.fromEntries(Object.entries(part).map(([key, inner]) => [clean(key), inner]))
  })
}

const SUSPECT = /\\u(?:0000|d[89a-f])/i

function clean(text: string): string {
  return storableText(text).toWellFormed()
}
