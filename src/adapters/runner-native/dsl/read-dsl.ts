import { type Document, isScalar, LineCounter, parseDocument, visit } from 'yaml'
import type { DslReader, ReadDsl } from '#application/ports/dsl-reader.ts'
import type { Json, JsonObject } from '#domain/app.ts'
import { APP_MODES, type AppMode, isGraphMode } from '#domain/app-mode.ts'
import { DomainError } from '#domain/errors.ts'
import { isObject, objectAt, textAt } from '#domain/json.ts'

const MAX_BYTES = 10 * 1024 * 1024
/** Real files use no aliases at all; a few thousand expansions of one are an attack ("billion laughs"). */
const MAX_ALIASES = 100
const MAX_DEPTH = 100
const NEWEST_MINOR = 6
/** What the format was before it carried a version. */
const FIRST_VERSION = '0.1.0'

/** Reads Dify app files, YAML or JSON, of every version from the first (which names none) to 0.6. */
export const readDsl: DslReader = (text) => {
  if (Buffer.byteLength(text) > MAX_BYTES) refuse('the file is larger than 10 MiB')
  return understand(parse(unwrap(text.replace(/^\uFEFF/, ''))))
}

/** Some exports are the console's JSON answer around the file: `{"data": "<yaml>"}`. */
function unwrap(text: string): string {
  if (!text.trimStart().startsWith('{')) return text
  try {
    const envelope: Json = JSON.parse(text)
    if (isObject(envelope) && typeof envelope.data === 'string' && !('app' in envelope)) return envelope.data
  } catch (error) {
    // Not JSON: it may still be YAML in flow style, and then the YAML parser names the fault better.
    if (!(error instanceof SyntaxError)) throw error
  }
  return text
}

function parse(text: string): JsonObject {
  const lines = new LineCounter()
  let value: unknown
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
    value = document.toJS({ maxAliasCount: MAX_ALIASES })
  } catch (error) {
    // Too many aliases, an alias of itself or nesting that exhausts the stack: all are the file's doing.
    if (error instanceof ReferenceError || error instanceof RangeError) refuse(reasonOf(error.message))
    throw error
  }
  const json = toJson(value, 0)
  if (!isObject(json)) refuse('line 1: an app file is a mapping with `app` and `workflow` or `model_config`')
  return json
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

/** Keeps what JSON can hold: the definition is stored as JSON and must come back the same. */
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

function understand(file: JsonObject): ReadDsl {
  const version = versionOf(file.version)
  const kind = file.kind ?? 'app'
  if (kind !== 'app') refuse('`kind` must be app')
  const app = file.app
  if (!isObject(app)) refuse('`app` is missing')
  const mode = modeOf(app.mode)
  return {
    name: textAt(app, 'name') || 'Untitled',
    description: textAt(app, 'description'),
    mode,
    version,
    workflow: isGraphMode(mode) ? workflowOf(file.workflow) : null,
    modelConfig: isGraphMode(mode) ? null : modelConfigOf(file.model_config),
  }
}

function versionOf(version: Json | undefined): string {
  if (version === undefined || version === null) return FIRST_VERSION
  // Unquoted 0.3 is a number, and 0.10 would silently become 0.1.
  if (typeof version !== 'string') refuse('`version` must be a string such as "0.3.0"')
  const parts = /^(\d{1,4})\.(\d{1,4})(\.\d{1,4})?$/.exec(version)
  if (parts === null) refuse('`version` must look like 0.3.0')
  if (Number(parts[1]) !== 0 || Number(parts[2]) > NEWEST_MINOR || Number(parts[2]) < 1) {
    refuse(`version ${version} is not supported; 0.1.0 to 0.${NEWEST_MINOR}.x are`)
  }
  return version
}

function modeOf(mode: Json | undefined): AppMode {
  const known = APP_MODES.find((one) => one === mode)
  if (known === undefined || known === 'channel' || known === 'rag-pipeline') {
    refuse('`app.mode` must be one of chat, agent-chat, advanced-chat, completion, workflow')
  }
  return known
}

function workflowOf(workflow: Json | undefined): JsonObject {
  if (!isObject(workflow)) refuse('`workflow` is missing')
  const graph = workflow.graph
  if (!isObject(graph)) refuse('`workflow.graph` is missing')
  for (const part of ['nodes', 'edges']) {
    const list = graph[part]
    if (!Array.isArray(list)) refuse(`\`workflow.graph.${part}\` must be a list`)
    const odd = list.findIndex((item) => !isObject(item))
    if (odd >= 0) refuse(`\`workflow.graph.${part}[${odd}]\` must be a mapping`)
  }
  return workflow
}

function modelConfigOf(config: Json | undefined): JsonObject {
  if (!isObject(config)) refuse('`model_config` is missing')
  if (!isObject(config.model ?? null) && config.model !== undefined) refuse('`model_config.model` must be a mapping')
  // Old exports leave the form out when it is empty.
  const form = config.user_input_form ?? []
  if (!Array.isArray(form)) refuse('`model_config.user_input_form` must be a list')
  return { ...config, user_input_form: form, model: objectAt(config, 'model') }
}

function refuse(message: string): never {
  throw new DomainError('dsl_invalid', { message })
}
