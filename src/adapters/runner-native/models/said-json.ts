import type { Json } from '#domain/app.ts'
import { mendedJson } from '../mended-json.ts'
import { parseJson } from '../parse-json.ts'
import { splitThinking } from './split-thinking.ts'

/** Longer than any answer that is meant as JSON. */
const MAX_CHARS = 400_000

/** The JSON in a model's answer, out of its thoughts, fences and chatter, mended where needed; undefined without any. */
export function saidJson(answer: string): Json | undefined {
  const text = splitThinking(answer).text.slice(0, MAX_CHARS)
  const fenced = /```(?:json)?[^\S\n]*\n(.*?)```/is.exec(text)?.[1]
  const candidates = [fenced, text, between(text, '{', '}'), between(text, '[', ']')]
  for (const candidate of candidates) {
    const json = candidate === undefined ? undefined : parsed(candidate)
    if (json !== undefined) return json
  }
  const loose = between(text, '{', '}') ?? (text.includes('{') ? text.slice(text.indexOf('{')) : fenced)
  const mended = loose === undefined ? undefined : mendedJson(loose)
  return mended === undefined ? undefined : parsed(mended)
}

function between(text: string, open: string, close: string): string | undefined {
  const [from, to] = [text.indexOf(open), text.lastIndexOf(close)]
  return from >= 0 && to > from ? text.slice(from, to + 1) : undefined
}

/** Only objects and lists: a bare word or number is chatter. */
function parsed(text: string): Json | undefined {
  const value = parseJson(text)
  return typeof value === 'object' && value !== null ? value : undefined
}
