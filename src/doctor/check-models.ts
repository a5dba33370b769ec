import { ask } from './ask.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

/** An endpoint that speaks the chat completions protocol. */
export type ModelEndpoint = {
  /** How an operator knows it: the variable, or the binding. */
  readonly called: string
  readonly url: string
  readonly key: string | null
  /** Null when each app names its own. */
  readonly model: string | null
  /** What to change when the one or the other is wrong: a variable, or the command that binds. */
  readonly setBy: { readonly address: string; readonly key: string; readonly model: string }
  /** The way there; absent is the direct one. */
  readonly send?: typeof fetch
}

/** Whether it answers, takes the key and has the model, by its list of models: asking one to speak would cost money. */
export async function checkModel({ called, url, key, model, setBy, send }: ModelEndpoint): Promise<Finding> {
  const check = `model ${called}`
  const answer = await ask(`${url.replace(/\/+$/, '')}/models`, key, { send })
  if (!answer.ok && answer.isOfKey) return fail(check, answer.fault, `enter the key in ${setBy.key} again`)
  if (!answer.ok) return fail(check, answer.fault, `check the address in ${setBy.address}, and that the endpoint runs`)
  const { status } = answer
  if (status === 401 || status === 403)
    return fail(check, `refuses the key (status ${status})`, `give ${setBy.key} a key that is valid there`)
  if (status >= 500) return fail(check, `fails with status ${status}`, 'ask whoever runs the endpoint')
  const names = namesIn(answer.body)
  if (status !== 200 || names === null) {
    return warn(
      check,
      `answers, but lists no models (status ${status}): the key and the model are not proven`,
      `see that the address in ${setBy.address} ends where /chat/completions follows, then run an app`,
    )
  }
  if (model === null) return ok(check, `answers, takes the key and has ${names.length} models`)
  if (names.includes(model)) return ok(check, `answers, takes the key and has ${model}`)
  return fail(
    check,
    `answers, but its list has no ${model}`,
    `name a model of its list in ${setBy.model}: ${names.slice(0, 5).join(', ')}`,
  )
}

function namesIn(body: unknown): readonly string[] | null {
  if (typeof body !== 'object' || body === null || !('data' in body) || !Array.isArray(body.data)) return null
  // Names of an endpoint are printed on a terminal, where control characters could draw anything.
  return body.data.flatMap((one) =>
    typeof one?.id === 'string' ? [one.id.replaceAll(/\p{C}/gu, '').slice(0, 256)] : [],
  )
}
