import type { JsonObject } from '#domain/app.ts'

const PLACEHOLDER = /\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*\}\}/g
/** Names that mean something to Jinja itself. */
const RESERVED = new Set([
  'true',
  'false',
  'none',
  'True',
  'False',
  'None',
  'not',
  'in',
  'is',
  'and',
  'or',
  'if',
  'else',
])

/** Whether a template only names variables, as far as can be said before they are known. */
export function onlyNames(template: string): boolean {
  return !/[{}%#]/.test(template.replaceAll(PLACEHOLDER, ''))
}

/**
 * Renders templates that only name variables, as most do, without a round trip to a child. Null when the template is
 * more than that, or a value has a form that only the engine can word. Beyond `maxChars` it only goes on as far as to be
 * longer: a template can name a long variable a thousand times.
 */
export function renderPlain(
  template: string,
  variables: JsonObject,
  maxChars = Number.POSITIVE_INFINITY,
): string | null {
  // Jinja knows one kind of line end, and drops the last one.
  const source = template.replaceAll(/\r\n?/g, '\n').replace(/\n$/, '')
  if (!onlyNames(source)) return null
  let isPlain = true
  let chars = 0
  const text = source.replaceAll(PLACEHOLDER, (_, name: string) => {
    const value = Object.hasOwn(variables, name) ? variables[name] : ''
    if (RESERVED.has(name)) isPlain = false
    if (value === null) return 'None'
    if (typeof value === 'boolean') return value ? 'True' : 'False'
    if (typeof value !== 'string' && !Number.isSafeInteger(value)) isPlain = false
    if (chars > maxChars) return ''
    const word = String(value)
    chars += word.length
    return word
  })
  return isPlain ? text : null
}
