import type { BindingKind, BindingSubject, BindingTarget } from './binding.ts'
import type { InputIssue } from './errors.ts'
import { objectAt } from './json.ts'

const MAX_NAME = 255
const MAX_URL = 2000
const MAX_KEY = 8192
/** Characters, as JSON. */
const MAX_DOCUMENT = 2_000_000
const MAX_CODE = 400_000

const WAYS: Readonly<Record<BindingKind, readonly BindingTarget['via'][]>> = {
  model: ['endpoint'],
  dataset: ['retriever'],
  tool: ['openapi', 'mcp', 'app', 'js'],
  app: ['upstream'],
}

/** What is wrong with a binding before anybody is asked; the received values are not repeated. */
export function bindingIssues(
  subject: BindingSubject,
  target: BindingTarget,
  key: string | null,
): readonly InputIssue[] {
  const found: InputIssue[] = []
  const refuse = (field: string, msg: string) => found.push({ type: 'value_error', loc: [field], msg })
  if (!WAYS[subject.kind].includes(target.via)) refuse('via', `must be one of ${WAYS[subject.kind].join(', ')}`)
  for (const field of ['provider', 'name'] as const) {
    if (subject[field].length > MAX_NAME) refuse(field, `must have at most ${MAX_NAME} characters`)
  }
  if (subject.kind === 'dataset' && subject.name === '') refuse('name', 'must be the id of a dataset')
  const hasProvider = subject.kind === 'model' || subject.kind === 'tool'
  if (hasProvider && subject.provider === '') refuse('provider', 'must not be empty')
  if ('url' in target && !isPlainUrl(target.url)) {
    refuse('url', `must be an http(s) URL of at most ${MAX_URL} characters, without user name and password`)
  }
  // It travels in a header (RFC 9110 §5.5); anything else would fail at the first run, or split the header.
  if (key !== null && !/^[\x21-\x7e]+$/.test(key)) refuse('key', 'must be visible ASCII characters without spaces')
  if (key !== null && key.length > MAX_KEY) refuse('key', `must have at most ${MAX_KEY} characters`)
  if (target.via === 'openapi') {
    if (Object.keys(objectAt(target.document, 'paths')).length === 0) refuse('document', 'must be an OpenAPI document')
    if (JSON.stringify(target.document).length > MAX_DOCUMENT) refuse('document', 'is too large')
    if (target.header !== null && !/^[A-Za-z0-9-]{1,100}$/.test(target.header)) {
      refuse('header', 'must be the name of a header')
    }
  }
  if (target.via === 'js') {
    if (!/\bmain\b/.test(target.code)) refuse('code', 'must have a function main')
    if (target.code.length > MAX_CODE) refuse('code', `must have at most ${MAX_CODE} characters`)
  }
  return found
}

function isPlainUrl(text: string): boolean {
  if (text.length > MAX_URL || !/^https?:\/\//i.test(text) || !URL.canParse(text)) return false
  const { username, password, hash } = new URL(text)
  return username + password + hash === ''
}
