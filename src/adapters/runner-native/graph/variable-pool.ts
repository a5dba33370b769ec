import type { Json, JsonObject } from '#domain/app.ts'
import { isList, isObject } from '#domain/json.ts'
import { takeIn } from './meter.ts'

/** What nodes can refer to: outputs by node id, and the namespaces `sys`, `env` and `conversation`. Plain JSON. */
export type VariablePool = Readonly<Record<string, JsonObject>>

/**
 * Adds what a node said, in place: a copy for every node is quadratic in the graph. As a property of its own also where
 * the id is a name like `__proto__`, which an assignment would take for something else.
 */
export function addTo(pool: VariablePool, nodeId: string, outputs: JsonObject): void {
  Object.defineProperty(pool, nodeId, { value: outputs, enumerable: true, writable: true, configurable: true })
}

/** `{{#node.name#}}`. Ids with hyphens are real, so anything but the delimiters may stand inside. */
const PLACEHOLDER = /\{\{#([^{}#]{1,400})#\}\}/g

/** A piece of a template. */
export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly selector: readonly string[] }

/** The value a selector names, through objects and file attributes; undefined when there is none. */
export function resolve(pool: VariablePool, selector: readonly string[]): Json | undefined {
  const [namespace, ...path] = selector
  if (namespace === undefined || path.length === 0 || !Object.hasOwn(pool, namespace)) return undefined
  let value: Json | undefined = pool[namespace]
  for (const key of path) {
    if (isObject(value) && Object.hasOwn(value, key)) value = value[key]
    else if (isList(value) && /^\d{1,6}$/.test(key)) value = value[Number(key)]
    else return undefined
  }
  return value
}

/** A value inside a text: strings as they are, null as "", a file as its link, the rest as JSON. */
export function textOf(value: Json | undefined): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  if (isObject(value) && isFile(value)) return linkOf(value)
  if (isList(value) && value.length > 0 && value.every((item) => isObject(item) && isFile(item))) {
    return value.map(textOf).join('\n')
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Cuts a template at its placeholders. */
export function partsOf(template: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = []
  let from = 0
  for (const match of template.matchAll(PLACEHOLDER)) {
    if (match.index > from) parts.push({ kind: 'text', text: template.slice(from, match.index) })
    parts.push({ kind: 'variable', selector: (match[1] ?? '').trim().split('.') })
    from = match.index + match[0].length
  }
  if (from < template.length) parts.push({ kind: 'text', text: template.slice(from) })
  return parts
}

/**
 * A selector's text inside a template; a name that resolves to nothing stays readable, so that the fault shows.
 * @throws NodeFailure when the node takes in more than it may
 */
export function selectorText(pool: VariablePool, selector: readonly string[]): string {
  const value = resolve(pool, selector)
  if (value === undefined) return selector.join('.')
  // No files attached is nothing to say, not "[]".
  if (selector.join('.') === 'sys.files' && isList(value) && value.length === 0) return ''
  const text = textOf(value)
  takeIn(pool, text.length)
  return text
}

/** As `selectorText`, for what readers see: a variable of a node that did not run is left out. */
export function answerText(pool: VariablePool, selector: readonly string[]): string {
  return Object.hasOwn(pool, selector[0] ?? '') ? selectorText(pool, selector) : ''
}

/** The template with every placeholder replaced. */
export function fillTemplate(
  pool: VariablePool,
  template: string,
  write: (pool: VariablePool, selector: readonly string[]) => string = selectorText,
): string {
  return partsOf(template)
    .map((part) => (part.kind === 'text' ? part.text : write(pool, part.selector)))
    .join('')
}

/** Whether an object is a file as graph variables carry it. */
export function isFile(value: JsonObject): boolean {
  return typeof value.transfer_method === 'string' && typeof value.type === 'string' && 'related_id' in value
}

function linkOf(file: JsonObject): string {
  const link = `[${textOf(file.name).replaceAll(/[[\]]/g, '')}](${textOf(file.url)})`
  return file.type === 'image' ? `!${link}` : link
}
