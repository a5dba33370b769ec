import { isUtf8 as isValidUtf8 } from 'node:buffer'
import * as v from 'valibot'
import { DomainError, type InputIssue } from '#domain/errors.ts'
import { findUnusable } from '#domain/usable-input.ts'

export type ObjectSchema = v.GenericSchema<unknown, unknown>

/** Characters. */
const MAX_DESCRIPTION = 200

/** How a route tells of bad input: RFC 6749 §5.2, a list of issues, or that whatever it was is not the code. */
export type InvalidStyle = 'oauth' | 'issues' | 'user-code'

/** @throws DomainError as `refuse` gives it, naming the field where it names any, never its value */
export function parseInput<S extends ObjectSchema>(schema: S, value: unknown, style: InvalidStyle): v.InferOutput<S> {
  const bad = findUnusable(value)
  if (bad !== null) throw refuse([bad], style)
  // To valibot a list is an object whose members are all absent.
  if (Array.isArray(value)) throw refuse([{ type: 'object', loc: [], msg: 'must be an object' }], style)
  const parsed = v.safeParse(schema, value)
  if (parsed.success) return parsed.output
  throw refuse(parsed.issues.map(toIssue), style)
}

/** The refusal for `issues` in the route's own style. */
export function refuse(issues: readonly InputIssue[], style: InvalidStyle): DomainError {
  if (style === 'issues') return new DomainError('invalid_input', { issues })
  if (style === 'user-code') return new DomainError('user_code_mismatch', {})
  const [first] = issues
  const description = first === undefined ? 'invalid request' : `${first.loc.join('.') || 'body'} ${first.msg}`
  return new DomainError('invalid_request', { description: plain(description) })
}

/** What RFC 6749 §5.2 lets a description hold; a parameter's name is the caller's own text. */
function plain(description: string): string {
  return description.slice(0, MAX_DESCRIPTION).replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '?')
}

/**
 * Query as an object: the first value of a name wins. Without a prototype, so no name is special.
 * @throws DomainError as `refuse` gives it, when a value is not text
 */
export function queryObject(querystring: string, style: InvalidStyle): Record<string, string> {
  const query: Record<string, string> = Object.create(null)
  for (const [name, value] of formPairs(querystring, style)) if (!(name in query)) query[name] = value
  return query
}

/**
 * The pairs of a query or form.
 * @throws DomainError as `queryObject`
 */
export function* formPairs(text: string, style: InvalidStyle): Iterable<[string, string]> {
  for (const part of text.split('&')) {
    for (const [name, value] of new URLSearchParams(part)) {
      if (!isUtf8(part)) throw refuse([{ type: 'string_unicode', loc: [name], msg: 'must be valid text' }], style)
      yield [name, value]
    }
  }
}

/** Bytes that are no text, such as an escaped lone surrogate, would silently become U+FFFD. A stray `%` is literal. */
function isUtf8(escaped: string): boolean {
  for (const [bytes] of escaped.matchAll(/(?:%[0-9a-f]{2})+/gi)) {
    if (!isValidUtf8(Buffer.from(bytes.replaceAll('%', ''), 'hex'))) return false
  }
  return true
}

/** An empty parameter counts as absent (RFC 6749 §3.1). */
export function withoutEmpty(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== ''))
}

function toIssue(issue: v.BaseIssue<unknown>): InputIssue {
  const loc = (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)))
  return { type: issue.type, loc, msg: wording(issue) }
}

/** Our own words: valibot's quote the received value, which may be a secret. */
function wording(issue: v.BaseIssue<unknown>): string {
  const { type, requirement, expected } = issue
  if (issue.received === 'undefined' && issue.kind === 'schema') return 'is required'
  switch (type) {
    case 'min_length':
    case 'non_empty':
      return `must be at least ${String(requirement ?? 1)} characters`
    case 'max_length':
      return `must be at most ${String(requirement)} characters`
    case 'min_value':
      return `must be at least ${String(requirement)}`
    case 'max_value':
      return `must be at most ${String(requirement)}`
    case 'picklist':
    case 'literal':
      return `must be ${choices(expected)}`
    case 'uuid':
      return 'must be a UUID'
    case 'strict_object':
      return 'is not a known parameter'
    case 'check':
    case 'custom':
    case 'regex':
      return issue.message
    default:
      return `must be ${article(expected ?? type)}`
  }
}

/** Without valibot's notation of types: `("a" | "b")` is nothing that one could type. */
function choices(expected: string | null): string {
  const words = (expected ?? '')
    .replace(/^\(|\)$/g, '')
    .split(' | ')
    .map((word) => word.replace(/^"|"$/g, ''))
  return words.length > 1 ? `one of ${words.join(', ')}` : (words[0] ?? '') || 'one of the known values'
}

function article(expected: string): string {
  const noun = expected.toLowerCase()
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`
}
