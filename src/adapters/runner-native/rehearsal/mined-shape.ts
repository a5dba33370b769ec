import type { Json, JsonObject } from '#domain/app.ts'
import { objectAt, objectsAt, textAt } from '#domain/json.ts'

/** What the code of an app takes apart: an object of shapes, a list of one shape, or a leaf. */
type Shape = { readonly keys: Map<string, Shape>; item: Shape | null }

const STEP = String.raw`(?:\[\s*(?:'[^'\n]{1,60}'|"[^"\n]{1,60}"|-?\d{1,4})\s*\]|\??\.get\(\s*(?:'[^'\n]{1,60}'|"[^"\n]{1,60}")[^()\n]{0,40}\))`
const CHAIN = new RegExp(String.raw`\b([A-Za-z_]\w{0,60})(${STEP}{1,12})`, 'g')
const ASSIGNED = new RegExp(String.raw`\b([A-Za-z_]\w{0,60})\s*=\s*([A-Za-z_]\w{0,60})(${STEP}{1,12})`, 'g')
const REPEATED = new RegExp(
  String.raw`\bfor\s+(?:\w{1,60}\s*,\s*)?([A-Za-z_]\w{0,60})\s+in\s+(?:enumerate\(\s*)?([A-Za-z_]\w{0,60})(${STEP}{0,12})`,
  'g',
)
const MAX_CODE = 100_000

/**
 * The JSON that an app's code expects of a model or a service, guessed from how the code takes it apart
 * (`data["items"][0]["title"]`): a value that such code accepts more often than any fixed one.
 */
export function minedShape(workflow: JsonObject, words: string): Json {
  const root: Shape = { keys: new Map(), item: null }
  for (const node of objectsAt(objectAt(workflow, 'graph'), 'nodes')) {
    const data = objectAt(node, 'data')
    if (textAt(data, 'type') === 'code') mine(textAt(data, 'code').slice(0, MAX_CODE), root)
  }
  return sampleOf(root, words)
}

function mine(code: string, root: Shape): void {
  // What a name holds, where that is a part of something taken apart; every other name may hold the whole.
  const held = new Map<string, Shape>()
  const reach = (name: string, chain: string) => stepsOf(chain).reduce(into, held.get(name) ?? root)
  for (let round = 0; round < 2; round++) {
    for (const [, name = '', from = '', chain = ''] of code.matchAll(ASSIGNED)) {
      if (name !== from) held.set(name, reach(from, chain))
    }
    for (const [, name = '', from = '', chain = ''] of code.matchAll(REPEATED)) {
      if (chain === '' && !held.has(from)) continue
      held.set(name, into(reach(from, chain), null))
    }
  }
  for (const [, name = '', chain = ''] of code.matchAll(CHAIN)) reach(name, chain)
}

/** Names of keys, and null for a place in a list. */
function stepsOf(chain: string): readonly (string | null)[] {
  return (chain.match(new RegExp(STEP, 'g')) ?? []).map((step) => /['"]([^'"]+)['"]/.exec(step)?.[1] ?? null)
}

function into(shape: Shape, step: string | null): Shape {
  const fresh: Shape = { keys: new Map(), item: null }
  if (step === null) {
    shape.item ??= fresh
    return shape.item
  }
  const known = shape.keys.get(step)
  if (known !== undefined) return known
  shape.keys.set(step, fresh)
  return fresh
}

function sampleOf({ keys, item }: Shape, words: string): Json {
  if (keys.size > 0) return Object.fromEntries([...keys].map(([key, inner]) => [key, sampleOf(inner, words)]))
  return item === null ? words : [sampleOf(item, words)]
}
