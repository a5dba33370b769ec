import { type Draft, mutate } from './fuzz-mutations.ts'
import { type Schema, sampleOf, uuid } from './fuzz-values.ts'
import type { Random } from './random.ts'

/** One operation of an OpenAPI document. */
export type Operation = {
  readonly method: string
  readonly path: string
  readonly parameters: readonly {
    readonly name: string
    readonly in: string
    readonly required: boolean
    readonly schema: Schema
  }[]
  readonly content: Readonly<Record<string, { readonly schema: Schema; readonly example?: unknown }>>
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
}

/**
 * Values that a server has handed out, by the name of the member they stood in, or for one part of the surface by its
 * path and that name: what gets a request past the door.
 */
export type Harvest = Map<string, string[]>

/** What a caller of this kind shows. */
export type Credentials = {
  /** Headers with a bearer of each kind, by the kind's name. */
  readonly bearers: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly console: Readonly<Record<string, string>>
  readonly grant: Readonly<Record<string, string>>
}

const KEPT = 40
/** Parameters that go by another name in answers. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  task: ['task_id'],
  run: ['task_id', 'workflow_run_id'],
  token: ['form_token', 'access_token'],
  iid: ['id'],
}

// biome-ignore lint/suspicious/noExplicitAny: the document's own test holds its shape
export function operationsOf({ paths }: any): readonly Operation[] {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  return Object.entries<Record<string, any>>(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody, security = [] }]) => ({
      method: method.toUpperCase(),
      path,
      parameters,
      content: requestBody?.content ?? {},
      security,
    })),
  )
}

/** Keeps what looks like an id, a code or a token of an answer, the newest of each name. */
export function harvest(kept: Harvest, value: unknown, name = ''): void {
  if (Array.isArray(value)) for (const one of value.slice(0, 5)) harvest(kept, one, name)
  else if (typeof value === 'object' && value !== null)
    for (const [key, one] of Object.entries(value)) harvest(kept, one, key)
  else if (typeof value === 'string' && /(^|_)(id|code|token)$/.test(name) && value !== '') {
    kept.set(name, [...(kept.get(name) ?? []), value].slice(-KEPT))
  }
}

/** A request that `random` makes up for one of the operations: good in parts, and mutated more often than not. */
export function draftRequest(
  operation: Operation,
  prefix: string,
  random: Random,
  known: { readonly harvest: Harvest; readonly credentials: Credentials },
): Draft {
  const parameter = (name: string, schema: Schema) => {
    const names = [
      `${operation.path} ${name}`,
      `${operation.path.split('/')[1]} ${name}`,
      name,
      ...(ALIASES[name] ?? []),
    ]
    const held = names.map((one) => known.harvest.get(one) ?? []).find((values) => values.length > 0) ?? []
    if (held.length > 0 && random.chance(0.8)) return random.pick(held)
    return schema.format === 'uuid' ? uuid(random) : sampleOf(schema, random)
  }
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name) =>
    encodeURIComponent(String(parameter(name, { format: 'uuid' }))),
  )
  const query = operation.parameters
    .filter((one) => one.in === 'query' && random.chance(one.required ? 0.95 : 0.4))
    .map(({ name, schema }): [string, string] => [name, wellFormed(String(parameter(name, schema)))])
  const [type = null, media] = random.pick([...Object.entries(operation.content), ...NO_BODY(operation)])
  const draft: Draft = {
    method: operation.method,
    path: prefix + path,
    query,
    rawQuery: null,
    headers: credentialsFor(operation, known.credentials, random),
    type,
    value: media === undefined ? undefined : bodyOf(media, random, parameter),
    chop: null,
    raw: null,
    isChunked: random.chance(0.1),
  }
  const times = random.weighted({ '0': 30, '1': 40, '2': 20, '4': 10 })
  for (let at = 0; at < Number(times); at++) mutate(draft, random)
  return draft
}

const NO_BODY = ({ content }: Operation): [undefined, undefined][] =>
  Object.keys(content).length === 0 ? [[undefined, undefined]] : []

function bodyOf(
  { schema, example }: { readonly schema: Schema; readonly example?: unknown },
  random: Random,
  parameter: (name: string, schema: Schema) => unknown,
): unknown {
  if (example !== undefined && random.chance(0.4)) return structuredClone(example)
  const value = sampleOf(schema, random)
  if (typeof value !== 'object' || value === null) return value
  // What the server has handed out, where a member of that name is asked for.
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name,
      isText(one, schema.properties?.[name]) ? parameter(name, schema.properties?.[name] ?? {}) : one,
    ]),
  )
}

/** Also where the schema leaves open what it is. */
const isText = (value: unknown, schema: Schema) => typeof value === 'string' || schema?.type === undefined

/** Mostly what the operation asks for, else somebody else's or none. */
function credentialsFor(
  { security }: Operation,
  { bearers, console, grant }: Credentials,
  random: Random,
): Record<string, string> {
  const wanted = security.flatMap((one) => Object.keys(one))
  const isWrong = random.chance(0.1)
  const isBearer = isWrong ? random.chance(0.5) : wanted.includes('bearer')
  if (isBearer) {
    const kind = random.chance(0.55) ? 'account' : random.pick(Object.keys(bearers))
    return { ...bearers[kind] }
  }
  if (isWrong) return random.chance(0.5) ? { ...console } : {}
  if (wanted.includes('approval_grant')) return { ...grant }
  if (wanted.includes('console')) return { ...console }
  return random.chance(0.3) ? { ...grant } : {}
}

/** A lone surrogate has no form in a URL. */
function wellFormed(text: string): string {
  return text.toWellFormed()
}
