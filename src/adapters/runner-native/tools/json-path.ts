import type { Json } from '#domain/app.ts'
import { isList, isObject } from '#domain/json.ts'

type Segment = { readonly kind: 'name'; readonly name: string } | { readonly kind: 'any' } | { readonly kind: 'deep' }

const SEGMENT =
  /^(?:\.?\[\s*(?:(-?\d{1,9})|'([^']{0,200})'|"([^"]{0,200})"|(\*))\s*\]|(\.\.)|\.?(\*)|\.?([^.[\]\s'"*$]{1,200}))/
const MAX_SEGMENTS = 50
const MAX_FOUND = 10_000

/**
 * The values that a JSONPath finds (RFC 9535, of its selectors names, indexes, wildcards and descendants); null when it
 * is none. Bounded: wildcards within descendants multiply.
 */
export function queryJson(value: Json, path: string): readonly Json[] | null {
  const segments = segmentsOf(path.trim())
  if (segments === null) return null
  let found: readonly Json[] = [value]
  for (const segment of segments) {
    const next: Json[] = []
    for (const one of found) {
      for (const child of childrenOf(one, segment)) {
        next.push(child)
        if (next.length >= MAX_FOUND) break
      }
      if (next.length >= MAX_FOUND) break
    }
    found = next
  }
  return found
}

function segmentsOf(path: string): readonly Segment[] | null {
  const segments: Segment[] = []
  for (let rest = path.replace(/^\$/, ''); rest !== ''; ) {
    const match = SEGMENT.exec(rest)
    if (match === null || segments.length >= MAX_SEGMENTS) return null
    const [whole, index, single, double, star, deep, dotStar, name] = match
    if (deep !== undefined) segments.push({ kind: 'deep' })
    else if (star !== undefined || dotStar !== undefined) segments.push({ kind: 'any' })
    else segments.push({ kind: 'name', name: index ?? single ?? double ?? name ?? '' })
    // `..name` and `..[0]`: the dots stand for every level, what follows them is read on its own.
    rest = rest.slice(whole.length)
  }
  return segments
}

function* childrenOf(value: Json, segment: Segment): Generator<Json> {
  if (segment.kind === 'deep') {
    yield* descendants(value)
    return
  }
  if (isList(value)) {
    if (segment.kind === 'any') yield* value
    else if (/^-?\d+$/.test(segment.name)) {
      const item = value.at(Number(segment.name))
      if (item !== undefined) yield item
    }
    return
  }
  if (!isObject(value)) return
  if (segment.kind === 'any') yield* Object.values(value)
  else if (Object.hasOwn(value, segment.name)) yield value[segment.name] ?? null
}

function* descendants(value: Json): Generator<Json> {
  yield value
  const children = isList(value) ? value : isObject(value) ? Object.values(value) : []
  for (const child of children) yield* descendants(child)
}
