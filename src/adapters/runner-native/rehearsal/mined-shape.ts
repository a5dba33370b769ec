import type { Json, JsonObject } from '#domain/app.ts'
import { objectAt, objectsAt, textAt } from '#domain/json.ts'

/** What the code of an app takes apart: an object of shapes, a list of one shape, or a leaf. */
type Shape = { readonly keys: Map<string, Shape>; item: Shape | null; hint: Json | undefined }

const QUOTED = String.raw`(?:'[^'\n]{1,60}'|"[^"\n]{1,60}")`
const STEP = String.raw`(?:\[\s*(?:${QUOTED}|-?\d{1,4})\s*\]|\??\.get\(\s*${QUOTED}[^()\n]{0,40}\))`
/** In JavaScript also \`.name\`, unless that is a method. */
const DOTTED = String.raw`(?:\[\s*(?:${QUOTED}|-?\d{1,4})\s*\]|\??\.(?!length\b)[A-Za-z_]\w{0,60}\b(?!\s*\())`
const NAME = String.raw`\b([A-Za-z_]\w{0,60})`
const LITERAL = String.raw`('[^'\n]{0,60}'|"[^"\n]{0,60}"|-?\d{1,12}(?:\.\d{1,6})?|[Tt]rue|[Ff]alse)`
const MAX_CODE = 100_000

/**
 * The JSON that an app's code expects of a model or a service, guessed from how the code takes it apart
 * (`data["items"][0]["title"]`, `data["code"] == 200`): a value that such code accepts more often than any fixed one.
 * `leaf` stands where nothing tells what is wanted. Null when no code takes anything apart.
 */
export function minedShape(workflow: JsonObject, leaf: Json): Json {
  const root = fresh()
  const declared = new Map<string, string>()
  for (const node of objectsAt(objectAt(workflow, 'graph'), 'nodes')) {
    const data = objectAt(node, 'data')
    if (textAt(data, 'type') !== 'code') continue
    const outputs = objectAt(data, 'outputs')
    for (const name of Object.keys(outputs)) declared.set(name, textAt(objectAt(outputs, name), 'type'))
    const step = textAt(data, 'code_language') === 'javascript' ? DOTTED : STEP
    mine(textAt(data, 'code').slice(0, MAX_CODE), step, root, declared)
  }
  return root.keys.size === 0 && root.item === null ? null : sampleOf(root, leaf, declared, '')
}

/** Names of the tags that code looks for, in its order. */
export function minedTags(workflow: JsonObject): readonly string[] {
  const found = codesIn(workflow).flatMap((code) => [...code.matchAll(/<(\w{1,30})>/g)].map(([, name = '']) => name))
  return [...new Set(found)].slice(0, 20)
}

/** Separators that code splits texts at, in its order. */
export function minedSeparators(workflow: JsonObject): readonly string[] {
  const found = codesIn(workflow).flatMap((code) =>
    [...code.matchAll(/\.split\(\s*(?:'([^'\n]{1,20})'|"([^"\n]{1,20})")/g)].map(([, a, b]) => a ?? b ?? ''),
  )
  const plain = found.map((one) => one.replaceAll('\\n', '\n').replaceAll('\\t', '\t'))
  return [...new Set(plain)].slice(0, 4)
}

function codesIn(workflow: JsonObject): readonly string[] {
  const nodes = objectsAt(objectAt(workflow, 'graph'), 'nodes')
  return nodes.map((node) => textAt(objectAt(node, 'data'), 'code').slice(0, MAX_CODE))
}

function mine(code: string, step: string, root: Shape, declared: ReadonlyMap<string, string>): void {
  const all = (pattern: string) => code.matchAll(new RegExp(pattern, 'g'))
  // What a name holds, where that is a part of something taken apart; every other name may hold the whole.
  const held = new Map<string, Shape>()
  const reach = (name: string, chain: string) => stepsOf(chain, step).reduce(into, held.get(name) ?? root)
  for (let round = 0; round < 2; round++) {
    for (const [, name = '', from = '', chain = ''] of all(`${NAME}\\s*=\\s*${NAME}(${step}{1,12})`)) {
      if (name !== from) held.set(name, reach(from, chain))
    }
    const each = `\\bfor\\s+(?:\\w{1,60}\\s*,\\s*)?${NAME}\\s+in\\s+(?:enumerate\\(\\s*)?${NAME}(${step}{0,12})(?!\\w|\\.)`
    for (const [, name = '', from = '', chain = ''] of all(each)) {
      if (chain !== '' || held.has(from)) held.set(name, into(reach(from, chain), null))
    }
    const mapped = `${NAME}(${step}{1,12})\\??\\.(?:map|forEach|filter|find|some|every|flatMap)\\(\\s*\\(?\\s*${NAME}`
    for (const [, from = '', chain = '', name = ''] of all(mapped)) held.set(name, into(reach(from, chain), null))
  }
  // `json.loads(text)["items"]`: what a call gives is the whole.
  const part = `(?:${NAME}|\\))(${step}{1,12})`
  for (const [, name = '', chain = ''] of all(part)) reach(name, chain)
  for (const [, output = '', name = '', chain = ''] of all(`\\b(\\w{1,60})['"]?\\s*:\\s*${part}(?!\\w|\\()`)) {
    reach(name, chain).hint ??= sampleOfDeclared(declared.get(output) ?? '')
  }

  const hint = (pattern: string, value: (literal: string) => Json) => {
    for (const [, name = '', chain = '', literal = ''] of all(pattern)) reach(name, chain).hint ??= value(literal)
  }
  hint(`${part}\\s*[!=]==?\\s*${LITERAL}`, literalOf)
  hint(`${part}\\.(?:items|keys|values)\\(`, () => ({ 'a word': 'a word' }))
  hint(`(?:int|float|round|abs|Number|parseInt|parseFloat)\\(\\s*${part}`, () => 3)
  hint(`${part}\\s*(?:[*/%]|[<>]=?\\s*-?\\d)`, () => 3)
  hint(`(?:[*/%]|\\d\\s*[<>]=?)\\s*${part}`, () => 3)
}

function literalOf(literal: string): Json {
  if (/^['"]/.test(literal)) return literal.slice(1, -1)
  return /^[tf]/i.test(literal) ? /^t/i.test(literal) : Number(literal)
}

/** Names of keys, and null for a place in a list. */
function stepsOf(chain: string, step: string): readonly (string | null)[] {
  return (chain.match(new RegExp(step, 'g')) ?? []).map(
    (one) => /['"]([^'"]+)['"]/.exec(one)?.[1] ?? /^\??\.(\w+)$/.exec(one)?.[1] ?? null,
  )
}

function fresh(): Shape {
  return { keys: new Map(), item: null, hint: undefined }
}

function into(shape: Shape, step: string | null): Shape {
  if (step === null) {
    shape.item ??= fresh()
    return shape.item
  }
  const known = shape.keys.get(step)
  if (known !== undefined) return known
  const made = fresh()
  shape.keys.set(step, made)
  return made
}

function sampleOf({ keys, item, hint }: Shape, leaf: Json, declared: ReadonlyMap<string, string>, name: string): Json {
  if (keys.size > 0) {
    return Object.fromEntries([...keys].map(([key, inner]) => [key, sampleOf(inner, leaf, declared, key)]))
  }
  if (item !== null) return [sampleOf(item, leaf, declared, '')]
  return hint ?? sampleOfDeclared(declared.get(name) ?? '') ?? leaf
}

/** Code mostly hands a part on under its own name, and declares of which type that is; text is like no hint. */
function sampleOfDeclared(type: string): Json | undefined {
  switch (type) {
    case 'number':
      return 3
    case 'boolean':
      return true
    case 'object':
      return { 'a word': 'a word' }
    case 'array[string]':
      return ['a word']
    case 'array[number]':
      return [3]
    case 'array[object]':
      return [{ 'a word': 'a word' }]
    default:
      return undefined
  }
}
