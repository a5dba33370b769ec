import type { Json } from '#domain/app.ts'

/** Deeper than anything that runs may hold; walking on would exhaust the stack. */
const MAX_DEPTH = 200
/** Of a number, a boolean or null. */
const PLAIN = 8
/** Values never change, so each is walked once. */
const known = new WeakMap<object, number>()

/**
 * About how many characters a value has as JSON. What it holds several times counts as often: in memory that is one,
 * but whoever writes it down writes it each time, and a few references to references would fill any memory.
 */
export function weightOf(value: Json | undefined, depth = 0): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return PLAIN
  const before = known.get(value)
  if (before !== undefined) return before
  if (depth > MAX_DEPTH) return Number.POSITIVE_INFINITY
  let weight = PLAIN
  for (const [key, item] of Object.entries(value)) weight += key.length + weightOf(item, depth + 1)
  known.set(value, weight)
  return weight
}
