import type { Json, JsonObject } from './app.ts'
import { isList, isObject, objectAt, objectsAt, textAt } from './json.ts'

/** Takes secrets out of what a node was given, gave or complained of. */
export type Mask = { readonly text: (text: string) => string; readonly json: (value: JsonObject) => JsonObject }

const MASKED = '***'
/** Fields that hold a credential whatever is in them, in a header, a reply or a variable. */
const SECRET_NAME =
  /^(?:proxy-)?authorization$|^(?:set-)?cookie$|api[-_]?key|^(?:x-)?(?:[a-z]+[-_])*(?:access|auth|refresh|bearer|secret|session)[-_]?token$|password|passwd|secret/i
/** Credentials that name themselves wherever they stand, such as in a server's echo of a request. */
const SPEAKING = /\b(Bearer|Basic)[ \t]+[\w.~+/=-]{8,}|\bsk-[\w-]{16,}/gi

/** Characters of a text, and of all texts of a value, that are looked at: more than is ever kept. */
const MAX_TEXT = 16_384
const MAX_VALUE = 65_536

/** Masks the given values in every form in which a request carries them, and whatever is named like a credential. */
export function makeMask(secrets: readonly string[]): Mask {
  const forms = [...new Set(secrets.filter((secret) => secret !== '').flatMap(formsOf))]
  // The longest first: one secret may begin another.
  forms.sort((a, b) => b.length - a.length)
  const known =
    forms.length === 0
      ? null
      : new RegExp(forms.map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g')

  const longest = forms[0]?.length ?? 0

  const text = (given: string): string => {
    if (given.length <= MAX_TEXT) return masked(given)
    // Its end may be the beginning of a secret, which nothing would know again.
    const begun = masked(given.slice(0, MAX_TEXT + longest))
    return `${begun.slice(0, Math.max(0, begun.length - longest))}…`
  }
  const masked = (given: string): string => {
    const unnamed = known === null ? given : given.replace(known, MASKED)
    return unnamed.replace(SPEAKING, (_whole, scheme: string | undefined) =>
      scheme === undefined ? MASKED : `${scheme} ${MASKED}`,
    )
  }
  let left = 0
  const part = (value: Json): Json => {
    if (left <= 0) return '…'
    if (typeof value === 'string') {
      left -= value.length
      return text(value)
    }
    left -= 1
    if (typeof value === 'number') return known === null ? value : maskedNumber(value)
    if (isList(value)) return within(value).map(part)
    return isObject(value) ? fields(value) : value
  }
  /** What there is time for, and one more that says that it goes on. */
  const within = <T>(items: readonly T[]): readonly T[] => items.slice(0, Math.max(0, left) + 1)
  const maskedNumber = (value: number): Json => {
    const asText = text(String(value))
    return asText === String(value) ? value : asText
  }
  const fields = (value: JsonObject): JsonObject =>
    Object.fromEntries(
      within(Object.entries(value)).map(([name, inner]) => {
        left -= name.length
        const isSecret = SECRET_NAME.test(name.slice(0, MAX_TEXT)) && inner !== null && inner !== ''
        return [text(name), isSecret ? MASKED : part(inner)]
      }),
    )
  const json = (value: JsonObject): JsonObject => {
    left = MAX_VALUE
    return fields(value)
  }
  return { text, json }
}

/** As it is, inside JSON, inside an address, and as Basic authorization writes it. */
function formsOf(secret: string): readonly string[] {
  const inJson = JSON.stringify(secret).slice(1, -1)
  const inUrl = encodeURIComponent(secret.toWellFormed())
  return [secret, inJson, inUrl, inUrl.replaceAll('%20', '+'), base64(secret)]
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)))
}

/** Secrets that stand in an app's own definition: its secret variables, and what HTTP nodes prove themselves with. */
export function secretsOf(workflow: JsonObject | null): readonly string[] {
  if (workflow === null) return []
  const variables = objectsAt(workflow, 'environment_variables')
    .filter((one) => textAt(one, 'value_type') === 'secret')
    .map(({ value }) => (typeof value === 'number' ? String(value) : typeof value === 'string' ? value : ''))
  const nodes = objectsAt(objectAt(workflow, 'graph'), 'nodes').map((node) => objectAt(node, 'data'))
  return [...variables, ...nodes.filter((data) => textAt(data, 'type') === 'http-request').flatMap(keysOfNode)]
}

function keysOfNode(data: JsonObject): readonly string[] {
  const key = textAt(objectAt(objectAt(data, 'authorization'), 'config'), 'api_key')
  const headers = textAt(data, 'headers').split('\n').map(secretIn)
  // What a variable stands for is not known here; its placeholder is no secret.
  return [key, ...headers].filter((one) => !one.includes('{{'))
}

/** The value of a header line that is named like a credential, else "". Cut at the colon: app files are foreign. */
function secretIn(line: string): string {
  const colon = line.indexOf(':')
  return colon > 0 && SECRET_NAME.test(line.slice(0, colon).trim()) ? line.slice(colon + 1).trim() : ''
}
