import type { JsonObject } from '#domain/app.ts'
import { objectAt, textAt } from '#domain/json.ts'

/** The events of a stream of words differ in their words alone: everything of one around its words, as it was sent. */
export type TextMould = {
  readonly like: JsonObject
  readonly before: string
  readonly after: string
  /** From the words of one event to those of the next. */
  readonly between: string
}

/** What a row of events out of one mould says: `delta` is all of their words, of which each brought those up to its end. */
export class MoreText {
  readonly like: JsonObject
  readonly delta: string
  readonly ends: readonly number[]

  constructor(like: JsonObject, delta: string, ends: readonly number[]) {
    this.like = like
    this.delta = delta
    this.ends = ends
  }
}

/** The words of the answer that an event brings; null when it tells something else. */
export function wordsIn(event: JsonObject): string | null {
  switch (textAt(event, 'event')) {
    case 'message':
    case 'agent_message':
      return textAt(event, 'answer')
    case 'text_chunk':
      return textAt(objectAt(event, 'data'), 'text')
    default:
      return null
  }
}

/**
 * The mould of `event`, which was sent as `block`; null when it has none. It is tried out first: a name may stand there
 * twice, or somewhere else.
 */
export function mouldOf(block: string, event: JsonObject): TextMould | null {
  const words = wordsIn(event)
  const opening = /^data: ?\{.*?"(?:answer|text)"\s*:\s*"/.exec(block)
  if (words === null || opening === null || !/^.*\}\n\n$/.test(block)) return null
  const from = opening[0].length
  const to = closingQuote(block, from)
  if (to < 0) return null
  // Only where one letter more makes the words one letter longer, and changes nothing else, do the words stand.
  const longer = `${block.slice(block.indexOf('{'), to)}x${block.slice(to, -2)}`
  if (asJson(longer) !== JSON.stringify(withWords(event, `${words}x`))) return null
  const [before, after] = [block.slice(0, from), block.slice(to)]
  return { like: event, before, after, between: after + before }
}

/**
 * Reads the events out of `mould` that `text` holds at `at`, up to the first other one, without parsing each.
 * @throws SyntaxError when words of one of them are no JSON
 */
export function readMore(
  text: string,
  at: number,
  { like, before, after, between }: TextMould,
): { more: MoreText; end: number } {
  const raw: string[] = []
  let end = at
  let from = text.startsWith(before, at) ? at + before.length : -1
  while (from >= 0) {
    const to = closingQuote(text, from)
    // Compared whole: that is a third of the cost of `startsWith`.
    const isFollowed = to >= 0 && text.slice(to, to + between.length) === between
    if (!isFollowed && (to < 0 || !text.startsWith(after, to))) break
    if (to > from) raw.push(text.slice(from, to))
    end = to + after.length
    from = isFollowed ? to + between.length : -1
  }
  return { more: joined(like, raw), end }
}

/** Where the string ends that `from` is within, or -1. */
function closingQuote(text: string, from: number): number {
  let at = text.indexOf('"', from)
  while (at > from && text.charCodeAt(at - 1) === BACKSLASH && isEscaped(text, at, from)) at = text.indexOf('"', at + 1)
  return at
}

function isEscaped(text: string, at: number, from: number): boolean {
  let before = at - 1
  while (before >= from && text.charCodeAt(before) === BACKSLASH) before--
  return (at - before) % 2 === 0
}

/** A string of JSON is its text unless it holds one of these; some of them are not allowed. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those are meant
const ESCAPED = /[\\\u0000-\u001f]/
const BACKSLASH = 92

function joined(like: JsonObject, raw: readonly string[]): MoreText {
  const text = raw.join('')
  // What one piece alone is a view of would live as long as the answer, and may be much larger.
  const isCopy = raw.length !== 1 && !ESCAPED.test(text)
  if (isCopy) return new MoreText(like, text, endsOf(raw))
  const pieces: readonly string[] = JSON.parse(`["${raw.join('","')}"]`) // so many strings, for no quote in them is bare
  return new MoreText(like, pieces.join(''), endsOf(pieces))
}

function endsOf(pieces: readonly string[]): readonly number[] {
  let end = 0
  return pieces.map((piece) => {
    end += piece.length
    return end
  })
}

/** As `JSON.stringify` writes it; null when it is no JSON. */
function asJson(text: string): string | null {
  try {
    return JSON.stringify(JSON.parse(text))
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function withWords(event: JsonObject, words: string): JsonObject {
  return textAt(event, 'event') === 'text_chunk'
    ? { ...event, data: { ...objectAt(event, 'data'), text: words } }
    : { ...event, answer: words }
}
