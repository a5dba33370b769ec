import type { Json, JsonObject } from '#domain/app.ts'
import { isList, isObject, objectAt, objectsAt, textAt, textsAt } from '#domain/json.ts'

/** One operation, with the parameters that it takes as one flat list. */
export type Operation = {
  readonly method: string
  readonly path: string
  readonly description: string
  readonly parameters: JsonObject
  readonly places: readonly {
    readonly name: string
    readonly place: 'path' | 'query' | 'header' | 'cookie'
    readonly isRequired: boolean
  }[]
  /** `whole` names the parameter that is the body when it is no object of fields. */
  readonly body: {
    readonly contentType: string
    readonly fields: readonly string[]
    readonly whole: string | null
  } | null
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options']
const PLACES = ['path', 'query', 'header', 'cookie'] as const
/** A schema may refer to itself, and more than once: depth alone would let it grow without end. */
const MAX_DEPTH = 8
const MAX_PARTS = 5000

/** Reads an operation of an OpenAPI 3 document; null when there is none of that id. */
export function findOperation(document: JsonObject, operationId: string): Operation | null {
  for (const [path, entry] of Object.entries(objectAt(document, 'paths'))) {
    const item = resolved(document, entry)
    for (const method of METHODS) {
      const operation = objectAt(item, method)
      if (textAt(operation, 'operationId') !== operationId || operationId === '') continue
      return read(document, item, operation, method, path)
    }
  }
  return null
}

function read(document: JsonObject, item: JsonObject, operation: JsonObject, method: string, path: string): Operation {
  const listed = [...objectsAt(item, 'parameters'), ...objectsAt(operation, 'parameters')].map((one) =>
    resolved(document, one),
  )
  // What an operation says of a parameter replaces what its path says.
  const byName = new Map(listed.map((one) => [textAt(one, 'name'), one] as const))
  const properties: Record<string, Json> = {}
  const required: string[] = []
  const places: Operation['places'][number][] = []
  for (const [name, one] of byName) {
    const place = PLACES.find((known) => known === one.in)
    if (name === '' || place === undefined) continue
    const isRequired = one.required === true || place === 'path'
    places.push({ name, place, isRequired })
    properties[name] = { ...plain(document, objectAt(one, 'schema')), description: textAt(one, 'description') }
    if (isRequired) required.push(name)
  }
  const body = bodyOf(document, operation, properties, required)
  return {
    method: method.toUpperCase(),
    path,
    description: textAt(operation, 'description') || textAt(operation, 'summary'),
    parameters: { type: 'object', properties, required },
    places,
    body,
  }
}

function bodyOf(
  document: JsonObject,
  operation: JsonObject,
  properties: Record<string, Json>,
  required: string[],
): Operation['body'] {
  const request = resolved(document, operation.requestBody ?? null)
  const offered = objectAt(request, 'content')
  const types = Object.keys(offered)
  const contentType = types.find((type) => /json/.test(type)) ?? types[0]
  if (contentType === undefined) return null
  const schema = plain(document, objectAt(objectAt(offered, contentType), 'schema'))
  const own = objectAt(schema, 'properties')
  if (Object.keys(own).length === 0) {
    properties.body = schema
    if (request.required === true) required.push('body')
    return { contentType, fields: [], whole: 'body' }
  }
  const fields = Object.keys(own).filter((name) => !Object.hasOwn(properties, name))
  for (const name of fields) properties[name] = own[name] ?? {}
  required.push(...textsAt(schema, 'required').filter((name) => fields.includes(name)))
  return { contentType, fields, whole: null }
}

/** A schema without references. */
function plain(document: JsonObject, schema: JsonObject, depth = 0, spent = { parts: 0 }): JsonObject {
  const inner = (value: Json): Json => {
    if (isList(value)) return value.map(inner)
    if (!isObject(value)) return value
    spent.parts += 1
    return depth >= MAX_DEPTH || spent.parts > MAX_PARTS ? {} : plain(document, value, depth + 1, spent)
  }
  const target = resolved(document, schema)
  return Object.fromEntries(Object.entries(target).map(([key, value]) => [key, inner(value)]))
}

/** What a `$ref` within the document leads to; one to elsewhere is not followed. */
function resolved(document: JsonObject, value: Json | undefined): JsonObject {
  let current: Json = value ?? null
  for (let hop = 0; hop < MAX_DEPTH && isObject(current) && typeof current.$ref === 'string'; hop++) {
    current = pointed(document, current.$ref)
  }
  return isObject(current) && typeof current.$ref !== 'string' ? current : {}
}

/** RFC 6901. */
function pointed(document: JsonObject, reference: string): Json {
  if (!reference.startsWith('#/')) return null
  let current: Json = document
  for (const part of reference.slice(2).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (!isObject(current) || !Object.hasOwn(current, key)) return null
    current = current[key] ?? null
  }
  return current
}
