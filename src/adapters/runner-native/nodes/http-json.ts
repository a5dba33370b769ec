import { jsonIn } from '#domain/json.ts'
import { partsOf, selectorText, type VariablePool } from '../graph/variable-pool.ts'
import { mendedJson } from '../mended-json.ts'
import { NodeFailure } from './node-executor.ts'

/**
 * A JSON template filled in. What stands within quotes stays within them: text that would break out of its string is
 * escaped, so that a user's words cannot add fields; text that its author escaped already is left alone. Outside of
 * quotes a variable is a JSON value or becomes a string; only when that makes no JSON is it a fragment of the author's.
 * @throws NodeFailure when no JSON can be made of it
 */
export function jsonText(pool: VariablePool, template: string): string {
  const quoted = filled(pool, template, (text) => (isJson(text) ? text : JSON.stringify(text)))
  if (isJson(quoted)) return quoted
  const plain = filled(pool, template, (text) => text)
  if (isJson(plain)) return plain
  const mended = mendedJson(plain)
  if (mended === undefined) throw new NodeFailure('RequestBodyError', 'the body is no JSON')
  return mended
}

function filled(pool: VariablePool, template: string, outside: (text: string) => string): string {
  let isWithin = false
  return partsOf(template)
    .map((part) => {
      if (part.kind === 'text') {
        isWithin = endsWithin(part.text, isWithin)
        return part.text
      }
      const text = selectorText(pool, part.selector)
      return isWithin ? withinQuotes(text) : outside(text)
    })
    .join('')
}

/** Whether a text that began inside or outside of a string ends inside of one. */
function endsWithin(text: string, began: boolean): boolean {
  let isWithin = began
  for (const [character] of text.matchAll(/\\.|"/gs)) if (character === '"') isWithin = !isWithin
  return isWithin
}

function withinQuotes(text: string): string {
  return isJson(`"${text}"`) ? text : JSON.stringify(text).slice(1, -1)
}

const isJson = (text: string) => jsonIn(text) !== undefined
