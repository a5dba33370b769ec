import * as v from 'valibot'
import { APP_MODES } from '#domain/app-mode.ts'
import { MAX_PAGE_LIMIT } from '#domain/page.ts'

const WHOLE = /^-?\d{1,9}$/

/** A whole number from 1, as it stands in a query. The metadata says what OpenAPI calls it: what the text means. */
const wholeNumber = (most?: number) =>
  v.pipe(
    v.string(),
    v.metadata({ type: 'integer', minimum: 1, ...(most === undefined ? {} : { maximum: most }) }),
    v.regex(WHOLE, 'must be a whole number'),
    v.transform(Number),
    v.minValue(1),
  )

export const page = v.optional(wholeNumber(), '1')

/** More than the cap is refused. */
export const limitUpTo = (fallback: number) =>
  v.optional(v.pipe(wholeNumber(MAX_PAGE_LIMIT), v.maxValue(MAX_PAGE_LIMIT)), String(fallback))

/** More than the cap is served as the cap. */
export const limitCapped = (fallback: number) =>
  v.optional(
    v.pipe(
      wholeNumber(),
      v.transform((limit) => Math.min(limit, MAX_PAGE_LIMIT)),
    ),
    String(fallback),
  )

export const mode = v.picklist(APP_MODES)
/** In the one spelling that ids are stored in (RFC 9562 §4: read in any case). */
export const uuid = v.pipe(v.string(), v.uuid(), v.toLowerCase())
export const instant = v.pipe(v.string(), v.isoTimestamp())

/** Epoch milliseconds as ISO 8601 UTC. */
export function iso(atMs: number): string {
  return new Date(atMs).toISOString()
}

export const count = v.pipe(v.number(), v.integer(), v.minValue(0))

/** The envelope of every list. */
export const envelope = <S extends v.GenericSchema>(row: S) =>
  v.object({
    page: count,
    limit: count,
    total: count,
    has_more: v.boolean(),
    data: v.array(row),
  })

export const status = <const S extends string>(word: S) => v.object({ status: v.literal(word) })
