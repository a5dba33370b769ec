import type { Json, JsonObject } from './app.ts'
import { isObject, objectAt, objectsAt, textAt } from './json.ts'

/** Takes secrets out of what a node was given, gave or complained of. */
export type Mask = { readonly text: (text: string) => string; readonly json: (value: JsonObject) => JsonObject }

const MASKED = '***'
/** Fields that hold a credential whatever is in them, in a header, a reply or a variable. */
const SECRET_NAME =
  /^(?:proxy-)?authorization$|^(?:set-)?cookie$|api[-_]?key|^(?:x-)?(?:[a-z]+[-_])*(?:access|auth|refresh|bearer|secret|session)[-_]?token$|password|passwd|secret/i
/** Credentials that name themselves wherever they stand, such as in a server's echo of a request. */
const SPEAKING = /\b(Bearer|Basic)[ \t]+[\w.~+/=-]{8,}|\bsk-[\w-]{16,}/gi

/** Masks the given values in every form in which a request carries them, and whatever is named like a credential. */
export function makeMask(secrets: readonly string[]): Mask {
  const forms = [...new Set(secrets.filter((secret) => secret !== '').flatMap(formsOf))]
  // The longest first: one secret may begin another.
  forms.sort((a, b) => b.length - a.length)
  const known =
    forms.length === 0
      ? null
      : new RegExp(forms.map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g')

  const text = (given: string): string => {
    const masked = known === null ? given : given.replace(known, MASKED)
    return masked.replace(SPEAKING, (_whole, scheme: string | undefined) =>
      scheme === undefined ? MASKED : `${scheme} ${MASKED}`,
    )
  }
  const part = (value: Json): Json => {
    if (typeof value === 'string') return text(value)
    if (typeof value === 'number') return known === null ? value : maskedNumber(value)
    if (Array.isArray(value)) return value.map(part)
    return isObject(value) ? json(value) : value
  }
  const maskedNumber = (value: number): Json => {
    const masked = text(String(value))
    return masked === String(value) ? value : masked
  }
  const json = (value: JsonObject): JsonObject =>
    Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [
        text(name),
        SECRET_NAME.test(name) && inner !== null && inner !== '' ? MASKED : part(inner),
      ]),
    )
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
  const headers = textAt(data, 'headers')
    .split('\n')
    .map((line) => /^\s*([^:]+):\s*(.*?)\s*$/.exec(line))
    .map((found) => (found?.[1] !== undefined && SECRET_NAME.test(found[1].trim()) ? (found[2] ?? '') : ''))
  // What a variable stands for is not known here; its placeholder is no secret.
  return [key, ...headers].filter((one) => !one.includes('{{'))
}
