import type { ToolBinding } from '#application/ports/bindings.ts'
import type { Json } from '#domain/app.ts'
import type { EgressRequest, HttpEgress } from '../egress/http-egress.ts'
import { textOf } from '../graph/variable-pool.ts'
import { parseJson } from '../parse-json.ts'
import { findOperation, type Operation } from './openapi-operation.ts'
import { replyText, sendFor } from './send.ts'
import { type Tool, ToolFailure, textOutput } from './tool.ts'

type OpenApiBinding = Extract<ToolBinding, { via: 'openapi' }>

/** One operation of an OpenAPI document as a tool: its parameters and the fields of its body are the tool's. */
export function openApiTool(binding: OpenApiBinding, egress: HttpEgress): Tool {
  const operationOf = () => {
    const found = findOperation(binding.document, binding.operationId ?? '')
    if (found === null) throw new ToolFailure(`the bound document has no operation ${binding.operationId ?? ''}`)
    return found
  }
  return {
    describe: async () => {
      const { description, parameters } = operationOf()
      return { description, parameters }
    },
    async call(given, signal) {
      const reply = await sendFor(egress, signal, requestOf(binding, operationOf(), given))
      const text = replyText(reply)
      const json = /json/i.test(reply.headers['content-type'] ?? '') ? parseJson(text) : undefined
      return textOutput(text, json === undefined ? [] : Array.isArray(json) ? json : [json])
    },
  }
}

type Given = Parameters<Tool['call']>[0]

function requestOf(binding: OpenApiBinding, operation: Operation, given: Given) {
  const auth = authorizationOf(binding)
  const headers: [string, string][] = []
  const query = new URLSearchParams()
  const cookies: string[] = []
  let path = operation.path
  for (const { name, place, isRequired } of operation.places) {
    const value = given[name] ?? null
    if (value === null || value === '') {
      if (isRequired) throw new ToolFailure(`${name} is missing`)
      continue
    }
    if (place === 'path') path = path.replaceAll(`{${name}}`, () => segment(name, value))
    else if (place === 'query')
      for (const one of Array.isArray(value) ? value : [value]) query.append(name, textOf(one))
    else if (place === 'cookie') cookies.push(`${encodeURIComponent(name)}=${encodeURIComponent(textOf(value))}`)
    // A value must not begin another header (RFC 9110 §5.5), nor replace the binding's key.
    else if (name.toLowerCase() !== auth?.[0].toLowerCase())
      headers.push([name, textOf(value).replaceAll(/[^\x20-\x7e]/g, '')])
  }
  if (cookies.length > 0) headers.push(['cookie', cookies.join('; ')])
  const { body, contentType } = bodyOf(operation, given)
  if (contentType !== null) headers.push(['content-type', contentType])
  if (auth !== null) headers.push(auth)
  const questions = query.toString()
  const url = `${binding.url.replace(/\/+$/, '')}${path}${questions === '' ? '' : `?${questions}`}`
  return {
    method: operation.method,
    url,
    headers,
    body,
    secretHeaders: auth === null ? [] : [auth[0]],
  } satisfies Partial<EgressRequest>
}

/** One segment and no more: a model that is talked into `..` would reach another operation with the binding's key. */
function segment(name: string, value: Json): string {
  const text = textOf(value)
  if (/^\.{1,2}$/.test(text)) throw new ToolFailure(`${name} must not be a path`)
  return encodeURIComponent(text)
}

function bodyOf(
  { body }: Operation,
  given: Given,
): { readonly body: Uint8Array | null; readonly contentType: string | null } {
  if (body === null) return { body: null, contentType: null }
  const whole = body.whole === null ? null : (given[body.whole] ?? null)
  const fields = Object.fromEntries(
    body.fields.filter((name) => name in given).map((name) => [name, given[name] ?? null]),
  )
  const value: Json = body.whole === null ? fields : whole
  const { contentType } = body
  if (contentType === 'application/x-www-form-urlencoded') {
    const form = new URLSearchParams()
    for (const [name, field] of Object.entries(fields)) form.append(name, textOf(field))
    return { body: Buffer.from(form.toString()), contentType }
  }
  const text = /json/.test(contentType) ? JSON.stringify(value) : textOf(value)
  return { body: Buffer.from(text), contentType }
}

function authorizationOf({ key, header }: OpenApiBinding): [name: string, value: string] | null {
  if (key === null) return null
  return header === null ? ['authorization', `Bearer ${key}`] : [header, key]
}
