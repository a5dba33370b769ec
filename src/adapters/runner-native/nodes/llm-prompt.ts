import type { Json, JsonObject } from '#domain/app.ts'
import { isList, isObject, numberAt, objectAt, textAt, textsAt } from '#domain/json.ts'
import { pictureUrl, StoredFileFault } from '../files/stored-file.ts'
import type { GraphNode } from '../graph/graph.ts'
import { takeIn } from '../graph/meter.ts'
import { fillTemplate, isFile, resolve, textOf } from '../graph/variable-pool.ts'
import type { ModelMessage } from '../models/model-client.ts'
import { resourceOf } from '../retrieval/search-datasets.ts'
import { namedVariables } from './named-variables.ts'
import { NodeFailure, type NodeServices, type NodeTask } from './node-executor.ts'

const CONTEXT = /\{\{#context#\}\}/g
type Picture = { readonly url: string; readonly detail: string }

const MAX_PICTURES = 20
const DEFAULT_QUERY = '{{#sys.query#}}'

/**
 * The conversation that an LLM node sends: its template, then the memory, then the user's turn; empty messages drop.
 * @throws NodeFailure when nothing is left to send, or a template is broken
 */
export async function promptOf(task: NodeTask): Promise<readonly ModelMessage[]> {
  const { node, pool } = task
  const templated: ModelMessage[] = []
  for (const entry of templateEntries(node.data)) {
    templated.push({ role: roleOf(textAt(entry, 'role')), text: await fill(task, entry) })
  }
  const memory = node.data.memory
  const remembered: ModelMessage[] = []
  if (isObject(memory ?? null)) {
    const settings = objectAt(node.data, 'memory')
    remembered.push(...historyOf(task, settings))
    const query = textAt(settings, 'query_prompt_template') || DEFAULT_QUERY
    remembered.push({ role: 'user', text: fillTemplate(pool, query) })
  }
  const messages = [...templated, ...remembered].filter(({ text }) => text.trim() !== '')
  if (messages.length === 0) throw new NodeFailure('NoPromptError', 'the prompt is empty')
  return withImages(messages, await imagesOf(task))
}

/** Begins with what the prompt's templates take. */
export function expectTemplates({ data }: GraphNode, { templates }: Pick<NodeServices, 'templates'>): void {
  for (const entry of templateEntries(data)) if (isJinja(entry)) templates.expect(textAt(entry, 'jinja2_text'))
}

/** The list that `{{#context#}}` stands for, when it holds what a knowledge search found. */
export function retrievedFrom({ node, pool }: NodeTask): readonly Json[] {
  const value = contextValue(node.data, pool)
  if (!isList(value)) return []
  return value.filter(isObject).flatMap((item) => ('content' in item ? [resourceOf(item)] : []))
}

/** Completion models have one text instead of a list of messages. */
function templateEntries(data: JsonObject): readonly JsonObject[] {
  const template = data.prompt_template
  if (isList(template)) return template.filter(isObject)
  return isObject(template) ? [{ ...template, role: 'user' }] : []
}

async function fill(task: NodeTask, entry: JsonObject): Promise<string> {
  const { node, pool, services, signal } = task
  const context = contextText(contextValue(node.data, pool))
  const taken = (text: string) => {
    takeIn(pool, text.length)
    return text
  }
  if (isJinja(entry)) {
    const variables = namedVariables(pool, objectAt(node.data, 'prompt_config'), 'jinja2_variables')
    const rendered = await services.templates.render(textAt(entry, 'jinja2_text'), variables, signal)
    if (!rendered.ok) throw new NodeFailure('TemplateError', rendered.error)
    return taken(rendered.value).replaceAll(CONTEXT, () => taken(context))
  }
  // Split first: what a variable brings in must not be read as a placeholder again.
  const pieces = textAt(entry, 'text')
    .split(CONTEXT)
    .map((piece) => fillTemplate(pool, piece))
  for (const _ of pieces.slice(1)) taken(context)
  return pieces.join(context)
}

function isJinja(entry: JsonObject): boolean {
  return textAt(entry, 'edition_type') === 'jinja2'
}

function contextValue(data: JsonObject, pool: NodeTask['pool']): Json {
  const context = objectAt(data, 'context')
  return context.enabled === true ? (resolve(pool, textsAt(context, 'variable_selector')) ?? null) : null
}

function contextText(value: Json): string {
  if (!isList(value)) return textOf(value)
  return value.map((item) => (isObject(item) && 'content' in item ? textOf(item.content) : textOf(item))).join('\n')
}

/** Orders to the model, one paragraph each, what the node remembers, and a text of the user's. */
export function conversation(task: NodeTask, orders: readonly string[], text: string): readonly ModelMessage[] {
  const { memory } = task.node.data
  return [
    { role: 'system', text: orders.join('\n\n') },
    ...(isObject(memory) ? historyOf(task, memory) : []),
    { role: 'user', text },
  ]
}

/** The turns of the conversation that a node remembers. */
export function historyOf({ job }: NodeTask, memory: JsonObject): readonly ModelMessage[] {
  const window = objectAt(memory, 'window')
  const size = window.enabled === true ? numberAt(window, 'size') : null
  const turns = size === null ? job.history : size <= 0 ? [] : job.history.slice(-Math.floor(size))
  return turns.flatMap(({ query, answer }): ModelMessage[] => [
    { role: 'user', text: query },
    { role: 'assistant', text: answer },
  ])
}

async function imagesOf({ node, pool, job, services }: NodeTask): Promise<readonly Picture[]> {
  const vision = objectAt(node.data, 'vision')
  if (vision.enabled !== true) return []
  const settings = objectAt(vision, 'configs')
  const selector = textsAt(settings, 'variable_selector')
  const value = resolve(pool, selector.length > 0 ? selector : ['sys', 'files']) ?? null
  const detail = textAt(settings, 'detail') || 'high'
  const files = (isList(value) ? value : [value]).filter(isObject).filter((one) => isFile(one) && one.type === 'image')
  const pictures: Picture[] = []
  // Each stands in memory as text, and a list that code made may name one a thousand times.
  if (files.length > MAX_PICTURES) throw new NodeFailure('FileFetchError', `more than ${MAX_PICTURES} pictures`)
  try {
    for (const file of files) pictures.push({ url: await pictureUrl(job, services.imagesAs, file), detail })
  } catch (error) {
    if (!(error instanceof StoredFileFault)) throw error
    throw new NodeFailure('FileFetchError', error.message, {}, { cause: error })
  }
  return pictures
}

function withImages(messages: readonly ModelMessage[], images: readonly Picture[]): readonly ModelMessage[] {
  const last = messages.findLastIndex(({ role }) => role === 'user')
  if (images.length === 0 || last < 0) return messages
  return messages.map((message, at) => (at === last ? { ...message, images } : message))
}

function roleOf(role: string): ModelMessage['role'] {
  return role === 'system' || role === 'assistant' ? role : 'user'
}
