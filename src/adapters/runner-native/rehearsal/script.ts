import type { Json } from '#domain/app.ts'
import { isList, isObject } from '#domain/json.ts'
import type { Clues } from './clues.ts'
import { minedSeparators, minedShape, minedTags } from './mined-shape.ts'

/** One way to play the parts of an app that are not there: what its model, its services and its user say. */
export type Script = {
  readonly name: string
  /** What a model answers that nobody asked for a form. */
  readonly answer: string
  /** What stands in a text field of an answer that has a form. */
  readonly phrase: string
  /** What a service answers. */
  readonly body: Json
  /** What users write into fields that do not say what they want. */
  readonly words: string
}

const WORDS = 'A few words about the weather in Lisbon.'
const ADDRESS = 'https://example.com/a.txt'

/**
 * The ways, in order. Most apps take prose; those whose code takes answers apart want JSON, a list, a block or a
 * number, and none of them says so in its file.
 */
export function scriptsFor({ workflow, keys, texts }: Clues): readonly Script[] {
  const shaped = (leaf: Json) => {
    const mined: Json =
      minedShape(workflow, leaf) ?? (keys.length > 0 ? {} : { data: [], message: 'ok', result: WORDS })
    return keys.reduce<Json>((value, key) => withKey(value, key), mined)
  }
  const body = shaped('a word')
  const json = JSON.stringify(body, null, 2)
  const prose = { answer: WORDS, phrase: 'a word', body, words: WORDS }
  const answering = (name: string, value: Json) => ({ ...prose, name, answer: JSON.stringify(value), body: value })
  const saying = (name: string, text: string) => ({ ...prose, name, answer: text, phrase: text, words: text })
  const separated = minedSeparators(workflow).reduceRight<string>(
    (text, one) => Array(4).fill(text).join(one),
    'a word',
  )
  return [
    { ...prose, name: 'prose' },
    { ...prose, name: 'json', answer: json },
    { ...prose, name: 'everything', answer: everything(json) },
    { ...prose, name: 'list', answer: JSON.stringify([body], null, 2), body: [body] },
    answering('words', ['a word', 'another word']),
    answering('numbers within', shaped(3)),
    answering('lists within', shaped(['a word'])),
    answering('objects within', shaped([body])),
    answering('list of numbers', [1, 2, 3]),
    ...texts.map((text) => saying('clue', text)),
    ...(separated === 'a word' ? [] : [saying('separated', separated)]),
    saying(
      'tags',
      `<xml>${minedTags(workflow)
        .map((name) => `<${name}>a word</${name}>`)
        .join('\n')}</xml>`,
    ),
    saying('table', tableOf(body)),
    saying('json from all', json),
    saying('numbers', '3'),
    { ...prose, name: 'everything from all', answer: everything(json), words: everything(json) },
    saying('addresses', ADDRESS),
  ]
}

/** Rows with a column for each key of a script's JSON. */
function tableOf(body: Json): string {
  const row = isList(body) ? body[0] : body
  const names = isObject(row) ? Object.keys(row) : ['name', 'value']
  return [names, names.map(() => '1'), names.map(() => '2')].map((cells) => cells.join(',')).join('\n')
}

/** Each object of the script's JSON with one more key: the one that an app's code looked for in vain. */
function withKey(value: Json, key: string, depth = 0): Json {
  if (depth > 12) return value
  if (isList(value)) return value.map((item) => withKey(item, key, depth + 1))
  if (!isObject(value)) return value
  const inner = Object.entries(value).map(([name, item]) => [name, withKey(item, key, depth + 1)] as const)
  return { [key]: 'a word', ...Object.fromEntries(inner) }
}

/** An answer in which whoever looks for a block, a tag, a list, a table or an address finds one. */
function everything(json: string): string {
  return `<think>Let me see.</think>
# Weather in Lisbon

${WORDS}

1. First: sunny
2. Second: windy

- one
- two

| name | value |
| --- | --- |
| first | 1 |

![picture](https://example.com/a.png) and [a page](${ADDRESS})

\`\`\`html
<!DOCTYPE html><html><body><p>Lisbon</p></body></html>
\`\`\`

\`\`\`svg
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"></svg>
\`\`\`

\`\`\`json
${json}
\`\`\`
`
}
