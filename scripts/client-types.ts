type Json = Readonly<Record<string, unknown>>
type Schema = Json & {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
  readonly $ref?: string
  readonly additionalProperties?: Schema | boolean
}
type Parameter = { readonly name: string; readonly in: string; readonly required: boolean; readonly schema: Schema }
type Content = Readonly<Record<string, { readonly schema: Schema }>>
type Operation = {
  readonly summary: string
  /** Of what stands outside of the API's prefix. */
  readonly servers?: readonly unknown[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>
}
export type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

/** What says more than a type can. */
const BEYOND_TYPES = [
  ...['description', 'format', 'default', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum', 'maxItems'],
  ...['propertyNames', 'contentMediaType', 'contentSchema'],
]
const TYPES = [
  'type',
  'properties',
  'required',
  'items',
  'anyOf',
  'oneOf',
  'enum',
  'const',
  '$ref',
  'additionalProperties',
]
const KNOWN = new Set([...BEYOND_TYPES, ...TYPES])

/** `client/schema.d.ts`: the operations of an OpenAPI document as types. Redirects are for browsers, and left out; so are what only streams, and probes. */
export function clientTypes({ paths, components }: Document): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { servers }]) => servers === undefined)
      .filter(([, { responses }]) => responses[302] === undefined && !isStreamOnly(responses[200]))
      .map(([method, one]) => `  /** ${one.summary} */\n  '${method.toUpperCase()} ${path}': ${operation(one)}`),
  )
  const schemas = Object.entries(components.schemas).map(([name, one]) => `export type ${name} = ${typeOf(one)}\n`)
  const head = '// Written by `npm run client` from docs/openapi.json.\n'
  return [head, ...schemas, `export interface Operations {\n${operations.join('\n')}\n}\n`].join('\n')
}

function isStreamOnly(reply: Operation['responses'][string] | undefined): boolean {
  return reply?.content?.['text/event-stream'] !== undefined && reply.content['application/json'] === undefined
}

function operation({ parameters = [], requestBody, responses }: Operation): string {
  const named = (place: string) => {
    const ones = parameters.filter((one) => one.in === place)
    return typeOf({
      type: 'object',
      properties: Object.fromEntries(ones.map(({ name, schema }) => [name, schema])),
      required: ones.filter(({ required }) => required).map(({ name }) => name),
    })
  }
  const body = requestBody?.content['application/json']?.schema
  const replies = Object.entries(responses).map(([status, { content }]) => {
    return `${status}: ${typeOf(content?.['application/json']?.schema ?? {})}`
  })
  const isStream = Object.values(responses).some(({ content }) => content?.['text/event-stream'] !== undefined)
  const parts = [
    `path: ${named('path')}`,
    `query: ${named('query')}`,
    `body: ${body === undefined ? 'undefined' : typeOf(body)}`,
    `replies: { ${replies.join('; ')} }`,
    `streams: ${isStream}`,
  ]
  return `{ ${parts.join('; ')} }`
}

/** @throws Error for a keyword that this would silently pass over */
function typeOf(schema: Schema): string {
  const unknown = Object.keys(schema).filter((keyword) => !KNOWN.has(keyword))
  if (unknown.length > 0) throw new Error(`no type is known for ${unknown.join(', ')}`)
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1) ?? ''
    const narrowed = {
      type: 'object',
      properties: schema.properties ?? {},
      required: Object.keys(schema.properties ?? {}),
    }
    return schema.properties === undefined ? name : `${name} & ${typeOf(narrowed)}`
  }
  if (schema.enum !== undefined) return union(schema.enum.map((value) => JSON.stringify(value)))
  if ('const' in schema) return JSON.stringify(schema.const)
  const choices = schema.anyOf ?? schema.oneOf
  if (choices !== undefined) return union(choices.map(typeOf))
  if (Array.isArray(schema.type)) return union(schema.type.map((type: string) => typeOf({ ...schema, type })))
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type
    case 'number':
    case 'integer':
      return 'number'
    case 'array':
      return `Array<${typeOf(schema.items ?? {})}>`
    case 'object':
      return objectType(schema)
    default:
      return 'unknown'
  }
}

function objectType({ properties, required = [], additionalProperties }: Schema): string {
  const members = Object.entries(properties ?? {}).map(
    ([name, one]) => `${JSON.stringify(name)}${required.includes(name) ? '' : '?'}: ${typeOf(one)}`,
  )
  const isOpen = properties === undefined || additionalProperties === true || typeof additionalProperties === 'object'
  if (isOpen) members.push('[name: string]: unknown')
  return members.length === 0 ? 'Record<never, never>' : `{ ${members.join('; ')} }`
}

function union(types: readonly string[]): string {
  return types.length === 1 ? String(types[0]) : `(${types.join(' | ')})`
}
