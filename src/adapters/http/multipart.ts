import type { Context } from 'koa'
import type { Timer } from '#application/ports/clock.ts'
import type { IncomingFile } from '#application/use-cases/upload-file.ts'
import { DomainError } from '#domain/errors.ts'
import { dispositionOf } from './disposition.ts'
import { flowing } from './flowing.ts'
import { type UploadPace, watchPace } from './upload-pace.ts'

/** Of all that is not the file: other fields, and what stands around the parts. */
const MAX_OTHER_BYTES = 64 * 1024
/** Beside the file, with what separates the parts: a body that is longer by more than this has a file that long. */
const MAX_AROUND_BYTES = 4 * MAX_OTHER_BYTES
const MAX_HEADER_BYTES = 8 * 1024
const CRLF = Buffer.from('\r\n')
const BLANK_LINE = Buffer.from('\r\n\r\n')

/**
 * The one file of a multipart body (RFC 7578), in the part called `name`. Reads up to the file and no further: its bytes
 * come as they are asked for, and the last of them only when the rest of the body was as it should be.
 * A body that stalls or crawls is given up; see `UploadPace`.
 * @throws DomainError `unsupported_media_type` | `no_file_uploaded` | `malformed_request` | `request_timeout`; reading
 *   also `too_many_files`
 */
export async function readFilePart(ctx: Context, name: string, timer: Timer, pace?: UploadPace): Promise<IncomingFile> {
  const source = sourceOf(ctx, timer, pace)
  if (source === null) throw new DomainError('no_file_uploaded', {})
  const boundary = boundaryOf(ctx)
  const body = partsOf(source, boundary)
  let part = await body.nextPart()
  while (part !== null && !isFile(part, name)) {
    await body.skip()
    part = await body.nextPart()
  }
  if (part === null) throw new DomainError('no_file_uploaded', {})
  return { name: part.filename ?? '', bytes: untilTheEnd(), atLeastBytes: atLeastBytes(ctx) }

  async function* untilTheEnd(): AsyncGenerator<Uint8Array> {
    yield* body.bytes()
    for (let next = await body.nextPart(); next !== null; next = await body.nextPart()) {
      if (isFile(next, name)) throw new DomainError('too_many_files', {})
      await body.skip()
    }
  }
}

type Part = { readonly name: string; readonly filename: string | null }

function isFile(part: Part, name: string): boolean {
  return part.name === name && part.filename !== null
}

/** Null for a request without a body. Leaving it early leaves the connection open for the answer, and what comes next. */
function sourceOf(ctx: Context, timer: Timer, pace?: UploadPace): AsyncIterator<Buffer> | null {
  const length = ctx.get('Content-Length')
  if (ctx.get('Transfer-Encoding') === '' && (length === '' || length === '0')) return null
  const watch = watchPace(ctx.req, timer, pace)
  const source = flowing(ctx.req, watch)
  // RFC 9110 §15.5.9: who is given up for want of bytes must not find the connection waiting for more of them.
  watch.overdue.addEventListener('abort', () => ctx.res.headersSent || ctx.res.setHeader('Connection', 'close'))
  ctx.res.once('finish', async () => {
    watch.answered()
    await source.return()
    // What is left unread would stand before the connection's next request for ever.
    ctx.req.resume()
  })
  return source
}

/** What the sender says of the length, before it is read. */
function atLeastBytes(ctx: Context): number {
  return Math.max(0, Number(ctx.get('Content-Length')) - MAX_AROUND_BYTES)
}

/** RFC 2046 §5.1.1: at most 70 characters of a few kinds. */
function boundaryOf(ctx: Context): Buffer {
  const isPlain = /^(?:identity)?$/i.test(ctx.get('Content-Encoding'))
  if (!isPlain || !ctx.is('multipart/form-data')) throw new DomainError('unsupported_media_type', {})
  const [, quoted, bare] = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(ctx.get('Content-Type')) ?? []
  const boundary = quoted ?? bare ?? ''
  if (!/^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/.test(boundary)) throw malformed()
  return Buffer.from(`\r\n--${boundary}`)
}

/** Cuts a body into its parts. Each part's bytes have to be read, or skipped, before the next is asked for. */
function partsOf(source: AsyncIterator<Buffer>, delimiter: Buffer) {
  // The first delimiter may stand at the very start, where no line ends before it.
  let held = CRLF as Buffer
  let otherBytes = 0
  let isStarted = false

  async function more(): Promise<Buffer> {
    try {
      const { done, value } = await source.next()
      if (done === true) throw malformed()
      return value
    } catch (error) {
      // Cut off, or shorter than it said.
      throw error instanceof DomainError ? error : malformed(error)
    }
  }

  /** Everything up to the next delimiter, which is consumed. */
  async function* bytes(): AsyncGenerator<Buffer> {
    for (;;) {
      const at = held.indexOf(delimiter)
      if (at >= 0) {
        if (at > 0) yield held.subarray(0, at)
        held = held.subarray(at + delimiter.length)
        return
      }
      const tail = startOfTail(held, delimiter)
      if (tail > 0) yield held.subarray(0, tail)
      const rest = held.subarray(tail)
      const piece = await more()
      // Rarely more than a few bytes are left over; only then are both copied.
      held = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    }
  }

  async function skip(): Promise<void> {
    for await (const piece of bytes()) spend(piece.length)
  }

  function spend(count: number): void {
    otherBytes += count
    if (otherBytes > MAX_OTHER_BYTES) throw new DomainError('payload_too_large', { maxBytes: MAX_OTHER_BYTES })
  }

  async function hold(count: number): Promise<void> {
    while (held.length < count) held = Buffer.concat([held, await more()])
  }

  async function headers(): Promise<string> {
    for (;;) {
      const end = held.indexOf(BLANK_LINE)
      if (end > MAX_HEADER_BYTES || (end < 0 && held.length > MAX_HEADER_BYTES)) throw malformed()
      if (end >= 0) {
        const text = held.subarray(0, end).toString('utf8')
        held = held.subarray(end + BLANK_LINE.length)
        spend(text.length)
        return text
      }
      held = Buffer.concat([held, await more()])
    }
  }

  return {
    bytes,
    skip,
    /** Null after the last. */
    async nextPart(): Promise<Part | null> {
      if (!isStarted) await skip()
      isStarted = true
      await hold(2)
      if (held.subarray(0, 2).toString('latin1') === '--') return null
      if (!held.subarray(0, 2).equals(CRLF)) throw malformed()
      const part = dispositionOf(await headers())
      if (part === null) throw malformed()
      return part
    },
  }
}

/** Where in `held` a delimiter may begin whose end is still to come. */
function startOfTail(held: Buffer, delimiter: Buffer): number {
  let at = held.indexOf(13, Math.max(0, held.length - delimiter.length + 1))
  while (at >= 0) {
    const rest = held.subarray(at)
    if (rest.equals(delimiter.subarray(0, rest.length))) return at
    at = held.indexOf(13, at + 1)
  }
  return held.length
}

function malformed(cause?: unknown): DomainError {
  return new DomainError('malformed_request', {}, { cause })
}
