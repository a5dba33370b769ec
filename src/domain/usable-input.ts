import type { InputIssue } from './errors.ts'

// NUL breaks databases, a lone surrogate cannot be written as UTF-8.
const BAD_TEXT = /\0|\p{Cs}/u

/** Whatever writes the value as JSON again does so by recursion; deeper input would exhaust its stack. */
const MAX_DEPTH = 128

/**
 * The first part of a value that no store or runner could take, wherever it is parsed: text that is none, or deep
 * nesting. Walks without recursion: a megabyte of brackets must not exhaust the stack here either.
 */
export function findUnusable(root: unknown): InputIssue | null {
  const open: { value: unknown; loc: (string | number)[]; depth: number }[] = [{ value: root, loc: [], depth: 0 }]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { value, loc, depth } = at
    if (depth > MAX_DEPTH) return { type: 'too_deep', loc, msg: `must not be nested deeper than ${MAX_DEPTH} levels` }
    if (typeof value === 'string') {
      if (BAD_TEXT.test(value)) return { type: 'string_unicode', loc: loc.slice(0, 8), msg: 'must be valid text' }
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, one] of Object.entries(value)) {
        if (BAD_TEXT.test(key))
          return { type: 'string_unicode', loc: loc.slice(0, 8), msg: 'has a key that is not valid text' }
        // Deep inputs share the path of their first levels: a path as long as the input would be quadratic.
        const path = loc.length < 8 ? [...loc, Array.isArray(value) ? Number(key) : key] : loc
        open.push({ value: one, loc: path, depth: depth + 1 })
      }
    }
  }
  return null
}
