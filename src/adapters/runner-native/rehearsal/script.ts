import type { Json } from '#domain/app.ts'

/** One way to play the parts of an app that are not there: what its model, its services and its user say. */
export type Script = {
  readonly name: string
  /** What a model answers that nobody asked for a form. */
  readonly answer: string
  /** What a service answers. */
  readonly body: Json
  /** What users write into fields that do not say what they want. */
  readonly words: string
}

const WORDS = 'A few words about the weather in Lisbon.'

/**
 * The ways, in order. Most apps take prose; those whose code takes answers apart want JSON, a list or a number, and
 * none of them says so in its file.
 */
export function scriptsFor(mined: Json): readonly Script[] {
  const body = typeof mined === 'string' ? { data: [], message: 'ok', result: WORDS } : mined
  const json = JSON.stringify(body, null, 2)
  const list = JSON.stringify([body], null, 2)
  return [
    { name: 'prose', answer: WORDS, body, words: WORDS },
    { name: 'json', answer: json, body, words: WORDS },
    { name: 'fenced json', answer: `\`\`\`json\n${json}\n\`\`\``, body, words: WORDS },
    { name: 'list', answer: list, body: [body], words: WORDS },
    { name: 'json from all', answer: json, body, words: json },
    { name: 'numbers', answer: '3', body, words: '3' },
    { name: 'address', answer: 'https://example.com/a.txt', body, words: 'https://example.com/a.txt' },
  ]
}
