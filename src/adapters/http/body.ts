import type { Context } from 'koa'
import { koaBody } from 'koa-body'
import { DomainError } from '#domain/errors.ts'
import { formPairs, type InvalidStyle, refuse } from './input.ts'

export const MAX_BODY_BYTES = 1024 * 1024

export type BodyKinds = {
  readonly json: boolean
  readonly form: boolean
  readonly maxBytes: number
  readonly invalid: InvalidStyle
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true })

/** A parsed body; `repeated` names form parameters that came more than once (RFC 6749 §3.2). */
export type ParsedBody = { readonly value: unknown; readonly repeated: readonly string[] }

/**
 * Reads the body at last, once the caller was admitted. Absent and empty count as `{}`.
 * @throws DomainError `unsupported_media_type` | `payload_too_large` | `invalid_json`, on OAuth routes `invalid_request`
 */
export async function readBody(ctx: Context, kinds: BodyKinds): Promise<ParsedBody> {
  if (!hasBody(ctx)) return { value: {}, repeated: [] }
  const type = mediaTypeOf(ctx)
  const isJson = kinds.json && (type === 'application/json' || type.endsWith('+json'))
  const isForm = kinds.form && type === 'application/x-www-form-urlencoded'
  if (!isJson && !isForm) throw new DomainError('unsupported_media_type', {})
  const text = await readText(ctx, kinds)
  if (text.trim() === '') return { value: {}, repeated: [] }
  return isForm ? parseForm(text, kinds.invalid) : { value: parseJson(text, kinds.invalid), repeated: [] }
}

function hasBody({ req }: Context): boolean {
  return (req.headers['transfer-encoding'] ?? '') !== '' || !/^0?$/.test(req.headers['content-length'] ?? '')
}

/** RFC 9110 §8.3.1, without its parameters; empty for none. Koa's own reading of it would cost as much as the body's. */
function mediaTypeOf({ req }: Context): string {
  const [, type = ''] =
    /^\s*([\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+)\s*(?:;|$)/.exec(req.headers['content-type'] ?? '') ?? []
  return type.toLowerCase()
}

async function readText(ctx: Context, { maxBytes, invalid }: BodyKinds): Promise<string> {
  // A few compressed kilobytes unpack to gigabytes, and no client of these routes compresses (RFC 9110 §15.5.16).
  if (!/^(?:identity)?$/i.test(ctx.req.headers['content-encoding'] ?? '')) {
    ctx.set('Accept-Encoding', 'identity')
    throw new DomainError('unsupported_media_type', {})
  }
  if (Number(ctx.req.headers['content-length'] ?? 0) > maxBytes)
    throw new DomainError('payload_too_large', { maxBytes })
  const bytes = await readBytes(ctx, maxBytes, invalid)
  try {
    return UTF_8.decode(bytes)
  } catch (error) {
    if (error instanceof TypeError) throw refuse([{ type: 'string_unicode', loc: [], msg: 'must be UTF-8' }], invalid)
    throw error
  }
}

async function readBytes(ctx: Context, maxBytes: number, invalid: InvalidStyle): Promise<Buffer> {
  try {
    await readerOf(maxBytes)(ctx, async () => {})
  } catch (error) {
    // What is left unread would stand before the connection's next request for ever.
    ctx.req.resume()
    const isTooLarge = error instanceof Error && 'status' in error && error.status === 413
    if (isTooLarge) throw new DomainError('payload_too_large', { maxBytes }, { cause: error })
    // Cut off, or shorter or longer than it said.
    throw unreadable(invalid, error)
  }
  return Buffer.from(typeof ctx.request.body === 'string' ? ctx.request.body : '', 'binary')
}

type Reader = ReturnType<typeof koaBody>
const readers = new Map<number, Reader>()

/** One for each size that routes allow: making one costs more than reading a small body. */
function readerOf(maxBytes: number): Reader {
  const known = readers.get(maxBytes)
  if (known !== undefined) return known
  // As text of one letter a byte: decoding comes later, where bytes that are no UTF-8 can be refused.
  const reader = koaBody({
    json: false,
    urlencoded: false,
    multipart: false,
    text: true,
    // Looked at before.
    textTypes: ['*/*'],
    textLimit: maxBytes,
    encoding: 'binary',
  })
  readers.set(maxBytes, reader)
  return reader
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
