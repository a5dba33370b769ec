import { headersOf, type Json, schemaOf } from './openapi-schemas.ts'
import type { Also, Route } from './route.ts'

type Media = { readonly schema: Json; readonly examples: Json }

/** `answers`, and the further ones of a route; under the status of a refusal either may come. */
export function withAlso({ also }: Route, answers: Record<string, Json>): Record<string, Json> {
  const merged = { ...answers }
  for (const [status, one] of Object.entries(also)) merged[status] = answerOf(one, answers[status])
  return merged
}

function answerOf({ name, description, reply }: Also, refusal: Json | undefined): Json {
  const media: Media = {
    schema: schemaOf(reply, 'output'),
    examples: { [name]: { $ref: `#/components/examples/${name}` } },
  }
  if (refusal === undefined) {
    return { description, headers: headersOf([]), content: { 'application/json': media } }
  }
  const other = (refusal.content as { readonly 'application/json': Media })['application/json'] // as refusals are made
  const either = {
    schema: { anyOf: [media.schema, other.schema] },
    examples: { ...media.examples, ...other.examples },
  }
  return {
    ...refusal,
    description: `${description}; ${String(refusal.description)}`,
    content: { 'application/json': either },
  }
}

/** `components.examples`: each further answer that any route gives. */
export function alsoExamples(routes: readonly Route[]): Json {
  const all = routes.flatMap(({ also }) => Object.values(also))
  return Object.fromEntries(all.map(({ name, example }) => [name, { value: example }]))
}
