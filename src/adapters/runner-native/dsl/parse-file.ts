import { type Document, isScalar, LineCounter, parseDocument, visit } from 'yaml'
import type { Json, JsonObject } from '#domain/app.ts'
import { isObject, jsonIn } from '#domain/json.ts'
import { MAX_BYTES, refuse } from './refuse.ts'

/** Real files use no aliases at all; a few thousand expansions of one are an attack ("billion laughs"). */
const MAX_ALIASES = 100
const MAX_DEPTH = 100
/** Where the answers of consoles and catalogues keep the file. */
const ENVELOPES = ['data', 'export_data', 'yaml_content']

/**
 * The mapping that an app file is: YAML 1.2 or JSON, alone or in the JSON answer of a console around it.
 * @throws DomainError `dsl_invalid` with the line and the reason
 */
export function parseFile(text: string): JsonObject {
  if (Buffer.byteLength(text) > MAX_BYTES) refuse('the file is larger than 10 MiB')
  return asObject(readText(text.replace(/^\uFEFF/, '')))
}

/** JSON is read as such: it takes a tenth of the time that it takes as YAML. */
function readText(text: string): unknown {
  const json = asJson(text)
  const inner = isObject(json) ? wrappedIn(json) : null
  return inner !== null ? (asJson(inner) ?? parseYaml(inner)) : (json ?? parseYaml(text))
}

/** As far as JSON can hold it: the definition is stored as JSON and must come back the same. */
function asObject(value: unknown): JsonObject {
  const json = toJson(value, 0)
  if (!isObject(json)) refuse('line 1: an app file is a mapping with `app` and `workflow` or `model_config`')
  return json
}

/** The value of a text that is JSON, else undefined: flow style in YAML begins alike. */
function asJson(text: string): Json | undefined {
  // The YAML parser names faults better.
  return text.trimStart().startsWith('{') ? jsonIn(text) : undefined
}

/** Some exports are the console's JSON answer around the file: `{"data": "<yaml>"}`. */
function wrappedIn(envelope: JsonObject): string | null {
  if ('app' in envelope) return null
  const inner = ENVELOPES.map((name) => envelope[name]).find((one) => typeof one === 'string')
  return typeof inner === 'string' ? inner : null
}

function parseYaml(text: string): unknown {
  const lines = new LineCounter()
  try {
    const document = parseDocument(text, {
      version: '1.2',
      lineCounter: lines,
      prettyErrors: false,
      logLevel: 'silent',
      // Its own check compares every key with every other: one mapping of a megabyte would stop the server for minutes.
      uniqueKeys: false,
    })
    const [fault] = document.errors
    const refuseAt = (offset: number, reason: string) => {
      const { line, col } = lines.linePos(offset)
      refuse(`line ${line}, column ${col}: ${reason}`)
    }
    if (fault !== undefined) refuseAt(fault.pos[0], reasonOf(fault.message))
    const repeated = repeatedKeyOf(document)
    if (repeated !== null) refuseAt(repeated, 'Map keys must be unique')
    return document.toJS({ maxAliasCount: MAX_ALIASES })
  } catch (error) {
    // Too many aliases, an alias of itself or nesting that exhausts the stack: all are the file's doing.
    if (error instanceof ReferenceError || error instanceof RangeError) refuse(reasonOf(error.message))
    throw error
  }
}

/** Where a mapping names a key again, or null. */
function repeatedKeyOf(document: Document): number | null {
  let offset: number | null = null
  visit(document, {
    Map(_key, { items }) {
      const seen = new Set<unknown>()
      for (const { key } of items) {
        if (!isScalar(key)) continue
        if (seen.has(key.value)) {
          offset = key.range?.[0] ?? 0
          return visit.BREAK
        }
        seen.add(key.value)
      }
      return undefined
    },
  })
  return offset
}

/** YAML's own words without the excerpt of the file that may follow. */
function reasonOf(message: string): string {
  return (message.split('\n')[0] ?? '').slice(0, 160)
}

function toJson(value: unknown, depth: number): Json {
  if (depth > MAX_DEPTH) refuse(`the file is nested deeper than ${MAX_DEPTH} levels`)
  if (value === null || value === undefined) return null
  // NUL cannot be stored in PostgreSQL's jsonb, and a lone surrogate is no text.
  if (typeof value === 'string') return value.replaceAll('\u0000', '').toWellFormed()
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map((item) => toJson(item, depth + 1))
  if (typeof value !== 'object') return null
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item, depth + 1)]))
}
