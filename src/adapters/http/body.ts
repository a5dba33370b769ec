import type { Context } from 'koa'
import { koaBody } from 'koa-body'
import { DomainError } from '#domain/errors.ts'
import { formPairs, type InvalidStyle } from './input.ts'

export const MAX_BODY_BYTES = 1024 * 1024

export type BodyKinds = {
  readonly json: boolean
  readonly form: boolean
  readonly maxBytes: number
  readonly invalid: InvalidStyle
}

/** A parsed body; `repeated` names form parameters that came more than once (RFC 6749 §3.2). */
export type ParsedBody = { readonly value: unknown; readonly repeated: readonly string[] }

/**
 * Reads the body at last, once the caller was admitted. Absent and empty count as `{}`.
 * @throws DomainError `unsupported_media_type` | `payload_too_large` | `invalid_json`, on OAuth routes `invalid_request`
 */
export async function readBody(ctx: Context, kinds: BodyKinds): Promise<ParsedBody> {
  if (!hasBody(ctx)) return { value: {}, repeated: [] }
  const isJson = kinds.json && Boolean(ctx.is('json', '+json'))
  const isForm = kinds.form && Boolean(ctx.is('urlencoded'))
  if (!isJson && !isForm) throw new DomainError('unsupported_media_type', {})
  const text = await readText(ctx, kinds)
  if (text.trim() === '') return { value: {}, repeated: [] }
  return isForm ? parseForm(text, kinds.invalid) : { value: parseJson(text, kinds.invalid), repeated: [] }
}

function hasBody(ctx: Context): boolean {
  return ctx.get('Transfer-Encoding') !== '' || (ctx.get('Content-Length') !== '' && ctx.get('Content-Length') !== '0')
}

async function readText(ctx: Context, kinds: BodyKinds): Promise<string> {
  const read = koaBody({
    json: false,
    urlencoded: false,
    multipart: false,
    text: true,
    textTypes: ['json', '+json', 'urlencoded'],
    textLimit: kinds.maxBytes,
  })
  try {
    await read(ctx, async () => {})
  } catch (error) {
    throw refusal(error, kinds)
  }
  return typeof ctx.request.body === 'string' ? ctx.request.body : ''
}

function refusal(error: unknown, { maxBytes, invalid }: BodyKinds): unknown {
  const status = error instanceof Error && 'status' in error ? error.status : null
  if (status === 413) return new DomainError('payload_too_large', { maxBytes }, { cause: error })
  if (status === 415) return new DomainError('unsupported_media_type', {}, { cause: error })
  // Cut off, or shorter or longer than it said.
  if (status === 400) return unreadable(invalid, error)
  return error
}

function parseJson(text: string, invalid: InvalidStyle): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw unreadable(invalid, error)
  }
}

function unreadable(invalid: InvalidStyle, cause: unknown): DomainError {
  // RFC 6749 §5.2 knows no other word for it.
  if (invalid === 'oauth') return new DomainError('invalid_request', { description: 'body is not JSON' }, { cause })
  return new DomainError('invalid_json', {}, { cause })
}

function parseForm(text: string, invalid: InvalidStyle): ParsedBody {
  const value: Record<string, string> = Object.create(null)
  const repeated: string[] = []
  for (const [name, one] of formPairs(text, invalid)) {
    if (name in value) repeated.push(name)
    else value[name] = one
  }
  return { value, repeated }
}
