import * as v from 'valibot'
import { APP_MODES } from '#domain/app-mode.ts'
import { MAX_PAGE_LIMIT } from '#domain/page.ts'

const WHOLE = /^-?\d{1,9}$/

/** A whole number as it stands in a query. */
const wholeNumber = v.pipe(v.string(), v.regex(WHOLE, 'must be a whole number'), v.transform(Number))
type Metadata = {
  readonly jsonSchema: { readonly type: 'integer'; readonly minimum: number; readonly maximum?: number }
}

/** What OpenAPI calls such a parameter: there the schema is of what the text means. */
const counted = (most?: number) =>
  v.metadata<number, Metadata>({
    jsonSchema: { type: 'integer', minimum: 1, ...(most === undefined ? {} : { maximum: most }) },
  })

export const page = v.optional(v.pipe(wholeNumber, v.minValue(1), counted()), '1')

/** More than the cap is refused. */
export const limitUpTo = (fallback: number) =>
  v.optional(v.pipe(wholeNumber, v.minValue(1), v.maxValue(MAX_PAGE_LIMIT), counted(MAX_PAGE_LIMIT)), String(fallback))

/** More than the cap is served as the cap. */
export const limitCapped = (fallback: number) =>
  v.optional(
    v.pipe(
      wholeNumber,
      v.minValue(1),
      v.transform((limit) => Math.min(limit, MAX_PAGE_LIMIT)),
      counted(),
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
