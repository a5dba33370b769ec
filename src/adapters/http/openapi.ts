import { toJsonSchema } from '@valibot/to-json-schema'
import type { ErrorCode } from '#domain/errors.ts'
import type { Access } from './admit.ts'
import { errorTable } from './error-table.ts'
import type { ObjectSchema } from './input.ts'
import type { Route } from './route.ts'

type Json = Readonly<Record<string, unknown>>

/** The routes as OpenAPI 3.1: schemas, answers and refusals are the ones the server uses. */
export function openApiDocument(routes: readonly Route[]): Json {
  const paths: Record<string, Record<string, Json>> = {}
  for (const one of routes) {
    const path = one.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [one.method]: operation(one) }
  }
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: { title: 'Latchkey', version: '1.0.0', summary: 'Sign in from a terminal and run your AI apps' },
    servers: [{ url: '/openapi/v1' }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A token from the device flow.' },
        console: { type: 'apiKey', in: 'cookie', name: 'access_token' },
      },
      schemas: { Error: ERROR },
    },
  }
}

const ERROR: Json = {
  type: 'object',
  required: ['error', 'code', 'message', 'status'],
  properties: {
    error: { type: 'string' },
    code: { type: 'string' },
    message: { type: 'string' },
    status: { type: 'integer' },
    details: { type: 'array' },
    hint: { type: 'string' },
    error_description: { type: 'string' },
    retry_after_ms: { type: 'integer' },
    interval: { type: 'integer' },
  },
}

function operation(one: Route): Json {
  const parameters = [...pathParameters(one.path), ...queryParameters(one.query)]
  return {
    summary: one.summary,
    operationId: `${one.method}${one.path.replaceAll(/[^a-z]+(\w)/gi, (_, letter: string) => letter.toUpperCase())}`,
    ...(security(one.access) === null ? {} : { security: [{ [String(security(one.access))]: [] }] }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(one.body === undefined ? {} : { requestBody: requestBody(one.body, one.form) }),
    responses: { [one.status]: reply(one), ...refusals(one.errors) },
  }
}

function security(access: Access): 'bearer' | 'console' | null {
  switch (access.kind) {
    case 'bearer':
    case 'app':
      return 'bearer'
    case 'console':
    case 'decide':
      return 'console'
    case 'public':
    case 'same-origin':
      return null
  }
}

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', format: 'uuid' },
  }))
}

function queryParameters(query: ObjectSchema | undefined): Json[] {
  if (query === undefined) return []
  const { properties = {}, required = [] } = schemaOf(query)
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }))
}

function requestBody(body: ObjectSchema, form: boolean): Json {
  const media = { schema: schemaOf(body) }
  const content = form
    ? { 'application/json': media, 'application/x-www-form-urlencoded': media }
    : { 'application/json': media }
  return { required: true, content }
}

function reply(one: Route): Json {
  const json = { 'application/json': { schema: schemaOf(one.reply, 'output') } }
  const stream = { 'text/event-stream': { schema: { type: 'string' } } }
  return { description: one.summary, content: one.streams ? { ...json, ...stream } : json }
}

/** Refusals with one status share one answer; the description lists their tokens. */
function refusals(errors: readonly ErrorCode[]): Record<string, Json> {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of errors) {
    const { status } = errorTable[code] satisfies { status: number }
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      {
        description: codes.join(', '),
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    ]),
  )
}

type ObjectJsonSchema = Json & { readonly properties?: Json; readonly required?: readonly string[] }

function schemaOf(schema: ObjectSchema, typeMode: 'input' | 'output' = 'input'): ObjectJsonSchema {
  const { $schema: _, ...rest } = toJsonSchema(schema as never, {
    target: 'draft-2020-12',
    typeMode,
    errorMode: 'ignore',
    // The one custom schema here is a JSON object of the app's own making.
    overrideSchema: ({ valibotSchema }) => (valibotSchema.type === 'custom' ? { type: 'object' } : undefined),
  }) as Json // typed by its own synchronous union
  return rest
}
