import { toJsonSchema } from '@valibot/to-json-schema'
import type { ObjectSchema } from './input.ts'

export type Json = Readonly<Record<string, unknown>>

export type ObjectJsonSchema = Json & {
  readonly properties?: Readonly<Record<string, Json>>
  readonly required?: readonly string[]
}

/** What a valibot schema takes or gives, as JSON Schema 2020-12. */
export function schemaOf(schema: ObjectSchema, typeMode: 'input' | 'output' = 'input'): ObjectJsonSchema {
  const { $schema: _, ...rest } = toJsonSchema(schema as never, {
    target: 'draft-2020-12',
    typeMode,
    errorMode: 'ignore',
    overrideSchema: ({ valibotSchema, jsonSchema }) => {
      // The one custom schema here is a JSON object of the app's own making.
      if (valibotSchema.type === 'custom') return { type: 'object' }
      if (valibotSchema.type === 'loose_object') return { ...jsonSchema, additionalProperties: true }
      // Pattern and default are of the text in a query, and this schema is of what the text means.
      if (valibotSchema.type === 'optional' && jsonSchema.type === 'integer') {
        const { pattern: _pattern, ...meant } = jsonSchema
        return { ...meant, default: Number(meant.default) }
      }
      return undefined
    },
  }) as Json // typed by its own synchronous union
  return rest
}

/** `components.headers`, by their names on the wire. */
export const HEADERS: Readonly<Record<string, Json>> = {
  'X-Request-Id': {
    description: 'The caller’s own, where well formed, else drawn; it stands in the server’s log lines.',
    required: true,
    schema: { type: 'string' },
  },
  'X-Version': { description: 'Version of the server.', required: true, schema: { type: 'string' } },
  'Retry-After': {
    description: 'Whole seconds to wait before the next try (RFC 9110 §10.2.3).',
    required: true,
    schema: { type: 'integer', minimum: 1 },
  },
  'WWW-Authenticate': {
    description: 'The challenge of RFC 6750 §3.',
    required: true,
    schema: { type: 'string', pattern: '^Bearer realm="api"' },
  },
}

/** The headers of every answer, those that `always` names, and those that only some answers of `sometimes` bring. */
export function headersOf(always: readonly string[], sometimes: readonly string[] = []): Json {
  const sure = ['X-Request-Id', 'X-Version', ...always].filter((name) => name in HEADERS)
  const unsure = sometimes.filter((name) => name in HEADERS && !sure.includes(name))
  return Object.fromEntries([
    ...sure.map((name) => [name, { $ref: `#/components/headers/${name}` }]),
    ...unsure.map((name) => [name, { ...HEADERS[name], required: false }]),
  ])
}
