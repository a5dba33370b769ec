import { createHash } from 'node:crypto'
import { APIError } from 'openai'
import type { Json, JsonObject } from '#domain/app.ts'
import { isList, isObject } from '#domain/json.ts'
import type { RefusedFormats } from './refused-formats.ts'

/** What is asked, and of whom. */
export type FormatRequest = {
  /** Address, key and model: what one workspace's app provokes is not another's refusal. */
  readonly place: readonly (string | null)[]
  /** Absent: the answer may be what it likes. */
  readonly schema: JsonObject | undefined
  readonly refused: RefusedFormats
}

/**
 * Asks for the strictest format that the endpoint takes, a `response_format` of the protocol or null. What it refuses
 * is remembered once a lesser format was taken: until then the fault may lie elsewhere in the request.
 */
export async function inBestFormat<Answer>(
  { place, schema, refused }: FormatRequest,
  ask: (format: JsonObject | null) => Promise<Answer>,
): Promise<Answer> {
  const refusals: string[] = []
  const remember = (answer: Answer) => {
    for (const refusal of refusals) refused.add(refusal)
    return answer
  }
  for (const format of schema === undefined ? [] : formatsFor(schema)) {
    const ofModel = keyOf(place, format.type ?? null)
    // Who writes one bad schema must not take the format from every other app on the endpoint.
    const ofSchema = keyOf(place, format)
    if (refused.has(ofModel) || refused.has(ofSchema)) continue
    try {
      return remember(await ask(format))
    } catch (error) {
      const what = refusedBy(error)
      if (what === null) throw error
      refusals.push(what === 'schema' ? ofSchema : ofModel)
    }
  }
  return remember(await ask(null))
}

/** The strictest first. `json_object` would keep a model from a list. */
function formatsFor(schema: JsonObject): readonly JsonObject[] {
  if (Object.keys(schema).length === 0) return []
  const exact = { type: 'json_schema', json_schema: { name: 'answer', schema, strict: isStrict(schema) } }
  return schema.type === 'object' ? [exact, { type: 'json_object' }] : [exact]
}

const STRICT_KEYWORDS = new Set([
  'type',
  'title',
  'description',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'enum',
  'const',
  'anyOf',
])
/** As deep as the protocol's first implementation goes. */
const MAX_STRICT_DEPTH = 10

/** Whether strict endpoints take the schema: nothing in it is optional, and nothing beside it allowed. */
function isStrict(schema: Json | undefined, depth = 0): boolean {
  if (!isObject(schema) || depth > MAX_STRICT_DEPTH) return false
  if (!Object.keys(schema).every((keyword) => STRICT_KEYWORDS.has(keyword))) return false
  const { type, properties = {}, required = [], additionalProperties, items, anyOf = [] } = schema
  if (type === 'array' || items !== undefined) return isStrict(items, depth + 1)
  if (!isList(anyOf) || !anyOf.every((choice) => isStrict(choice, depth + 1))) return false
  if (type !== 'object') return true
  if (!isObject(properties) || !isList(required) || additionalProperties !== false) return false
  return Object.entries(properties).every(([name, of]) => required.includes(name) && isStrict(of, depth + 1))
}

/** Digests: names and schemas are as long as apps like, and keys are not kept. */
function keyOf(place: FormatRequest['place'], format: Json): string {
  return createHash('sha256')
    .update(JSON.stringify([...place, format]))
    .digest('base64url')
}

/** Servers that know the format but not for this model answer with these, each in its own words. */
const REFUSALS = [400, 404, 422, 500, 501]
const NAMES_FORMAT =
  /response.?format|json.?(?:schema|object|mode)|structured.?output|grammar|guided|(?:unknown|unrecognized|unexpected|extra)\W.{0,20}(?:param|arg|field|input|propert)/i
const NAMES_SCHEMA = /invalid (?:json.?)?schema|\bschema (?:contains|must|has)\b|grammar|in context=/i

/** What an answer refuses, null when it speaks of something else. Some servers say why in a form that is lost here. */
function refusedBy(error: unknown): 'model' | 'schema' | null {
  if (!(error instanceof APIError) || error.status === undefined || !REFUSALS.includes(error.status)) return null
  const isWordless = error.error === undefined && (error.status === 400 || error.status === 422)
  if (isWordless && /no body/.test(error.message)) return 'model'
  if (error.param !== 'response_format' && !NAMES_FORMAT.test(error.message)) return null
  return NAMES_SCHEMA.test(error.message) ? 'schema' : 'model'
}
