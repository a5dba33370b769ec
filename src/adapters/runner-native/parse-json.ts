import type { Json } from '#domain/app.ts'
import { jsonIn } from '#domain/json.ts'

/** Deeper than anybody means; far deeper text would parse and then exhaust the stack of whoever walks over it. */
const MAX_DEPTH = 100

/** The JSON that a foreign text is; undefined when it is none, or nested absurdly deep. */
export function parseJson(text: string): Json | undefined {
  return isTooDeep(text) ? undefined : jsonIn(text)
}

function isTooDeep(text: string): boolean {
  let depth = 0
  let isWithinText = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '\\') at += 1
    else if (character === '"') isWithinText = !isWithinText
    else if (isWithinText) continue
    else if (character === '[' || character === '{') depth += 1
    else if (character === ']' || character === '}') depth -= 1
    if (depth > MAX_DEPTH) return true
  }
  return false
}
