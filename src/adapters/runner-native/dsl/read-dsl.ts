import type { ReadDsl } from '#application/ports/dsl-files.ts'
import type { Json, JsonObject } from '#domain/app.ts'
import { dependenciesOf } from '#domain/app-dependencies.ts'
import { APP_MODES, type AppMode, isGraphMode } from '#domain/app-mode.ts'
import { DSL_VERSION } from '#domain/dsl-version.ts'
import { isObject, objectAt, textAt } from '#domain/json.ts'
import { parseFile } from './parse-file.ts'
import { refuse } from './refuse.ts'

const [MAJOR = 0, MINOR = 0] = DSL_VERSION.split('.').map(Number)
/** What the format was before it carried a version. */
const FIRST_VERSION = '0.1.0'
const VERSION = /^\d{1,4}(\.\d{1,4}){1,2}$/

/**
 * Reads Dify app files, YAML or JSON, of every version from the first, which names none.
 * @throws DomainError `dsl_invalid` with the line and the reason
 */
export function readDsl(text: string): ReadDsl {
  return understand(parseFile(text))
}

/** What a parsed file says. @throws DomainError `dsl_invalid` */
export function understand(file: JsonObject): ReadDsl {
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
    age: ageOf(version),
    workflow: isGraphMode(mode) ? workflowOf(file.workflow) : null,
    modelConfig: isGraphMode(mode) ? null : modelConfigOf(file.model_config),
    dependencies: dependenciesOf(file),
  }
}

function versionOf(version: Json | undefined): string {
  if (version === undefined || version === null) return FIRST_VERSION
  // Unquoted 0.3 is a number, and 0.10 would silently become 0.1.
  if (typeof version !== 'string') refuse('`version` must be a string such as "0.3.0"')
  if (!VERSION.test(version)) refuse('`version` must look like 0.3.0')
  return version
}

/** A newer file may hold what this server has never heard of; an older one is a matter of layout, which is known. */
function ageOf(version: string): ReadDsl['age'] {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > MAJOR || (major === MAJOR && minor > MINOR)) return 'newer'
  return major === MAJOR && minor === MINOR ? 'current' : 'older'
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
    // One node needs no edges, and some tools then write none.
    const list = graph[part] ?? (part === 'edges' ? [] : null)
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
