import type { Access } from './admit.ts'
import type { ObjectSchema } from './input.ts'
import { alsoExamples, withAlso } from './openapi-also.ts'
import { errorExamples, errorSchema, refusals } from './openapi-refusals.ts'
import { HEADERS, headersOf, type Json, schemaOf } from './openapi-schemas.ts'
import type { Example, Route } from './route.ts'
import { RunEventFrame } from './run-event-schemas.ts'

/**
 * The routes as OpenAPI 3.1: schemas, answers and refusals are the ones the server uses. `atRoot` are routes outside of
 * the API's prefix.
 */
export function openApiDocument(routes: readonly Route[], atRoot: readonly Route[] = []): Json {
  const paths: Record<string, Record<string, Json>> = {}
  for (const one of routes) {
    const path = one.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [one.method]: operation(one) }
  }
  for (const one of atRoot) paths[one.path] = { [one.method]: { ...operation(one), servers: [{ url: '/' }] } }
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: { title: 'Latchkey', version: '1.0.0', summary: 'Sign in from a terminal and run your AI apps' },
    servers: [{ url: '/openapi/v1' }],
    paths,
    components: {
      securitySchemes: SECURITY_SCHEMES,
      headers: HEADERS,
      schemas: { Error: errorSchema, RunEvent: schemaOf(RunEventFrame, 'output') },
      examples: { ...errorExamples([...routes, ...atRoot]), ...alsoExamples(routes) },
    },
  }
}

const SECURITY_SCHEMES: Json = {
  bearer: { type: 'http', scheme: 'bearer', description: 'A token from the device flow (RFC 8628).' },
  console: {
    type: 'apiKey',
    in: 'cookie',
    name: 'access_token',
    description: 'The session of a signed-in browser; on https without COOKIE_DOMAIN its name starts with `__Host-`.',
  },
  approval_grant: {
    type: 'apiKey',
    in: 'cookie',
    name: 'device_approval_grant',
    description: 'What a browser holds for five minutes after an external sign-on.',
  },
  csrf: {
    type: 'apiKey',
    in: 'header',
    name: 'X-CSRF-Token',
    description: 'The value of the browser’s csrf_token cookie, which is sent along.',
  },
}

function operation(one: Route): Json {
  const parameters = [...pathParameters(one), ...queryParameters(one.query, one.example)]
  return {
    summary: one.summary,
    operationId: `${one.method}${one.path.replaceAll(/[^a-z]+(\w)/gi, (_, letter: string) => letter.toUpperCase())}`,
    security: security(one.access),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(one.body === undefined ? {} : { requestBody: requestBody(one.body, one) }),
    ...(one.filePart === undefined ? {} : { requestBody: filePart(one.filePart) }),
    responses: { [one.status]: reply(one), ...withAlso(one, refusals(one)) },
  }
}

/** An empty list says that nobody is asked for anything, an empty object that the next is optional. */
function security(access: Access): readonly Json[] {
  switch (access.kind) {
    case 'bearer':
    case 'app':
      return [{ bearer: [] }]
    case 'console':
      return [access.changes ? { console: [], csrf: [] } : { console: [] }]
    case 'decide':
      return [{ console: [], csrf: [] }]
    case 'approval-grant':
      return [access.changes ? { approval_grant: [], csrf: [] } : { approval_grant: [] }]
    case 'public':
      return access.tells === undefined ? [] : [{}, { console: [] }]
    case 'enterprise':
    case 'same-origin':
      return []
  }
}

function pathParameters({ path, example }: Route): Json[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', format: 'uuid' },
    example: example?.params?.[name],
  }))
}

function queryParameters(query: ObjectSchema | undefined, example: Example | undefined): Json[] {
  if (query === undefined) return []
  const { properties = {}, required = [] } = schemaOf(query)
  const given = (example?.query ?? {}) as Json // the query schema's own input
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
    ...(name in given ? { example: schema.type === 'integer' ? Number(given[name]) : given[name] } : {}),
  }))
}

function requestBody(body: ObjectSchema, { form, example }: Route): Json {
  const schema = schemaOf(body)
  const media = { schema, ...(example?.body === undefined ? {} : { example: example.body }) }
  const content = form
    ? { 'application/json': media, 'application/x-www-form-urlencoded': media }
    : { 'application/json': media }
  // An absent body counts as an empty object.
  return { required: (schema.required ?? []).length > 0, content }
}

function filePart(name: string): Json {
  const properties = { [name]: { type: 'string', contentMediaType: 'application/octet-stream' } }
  const schema = { type: 'object', required: [name], properties }
  return {
    required: true,
    content: { 'multipart/form-data': { schema, example: { [name]: 'the bytes of the file' } } },
  }
}

function reply({ summary, status, reply: schema, example, streams }: Route): Json {
  if (status === 302) {
    return {
      description: summary,
      headers: { ...headersOf([]), Location: { required: true, schema: { type: 'string' } } },
    }
  }
  const json = { schema: schemaOf(schema, 'output'), ...(example === undefined ? {} : { example: example.reply }) }
  const content = {
    ...(streams === 'only' ? {} : { 'application/json': json }),
    ...(streams === false ? {} : { 'text/event-stream': stream(example) }),
  }
  return { description: summary, headers: headersOf([]), content }
}

/** OpenAPI 3.1 knows streams only as text: `contentSchema` is what each `data:` line holds. */
function stream(example: Example | undefined): Json {
  return {
    schema: {
      type: 'string',
      description: 'Server-sent events. Each `data:` line is one RunEvent; `event: ping` without data keeps it open.',
      contentMediaType: 'text/event-stream',
      contentSchema: { $ref: '#/components/schemas/RunEvent' },
    },
    example: example?.events?.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''),
  }
}
