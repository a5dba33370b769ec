import type { JsonObject } from '#domain/app.ts'
import { remoteFile } from '#domain/given-file.ts'
import type { EgressReply } from '../egress/http-egress.ts'
import { NodeFailure } from './node-executor.ts'

const TEXT_TYPE =
  /^(text\/|application\/(.*\+)?(json|xml|javascript|x-javascript|yaml|x-yaml|x-www-form-urlencoded|graphql|x-ndjson|ld\+json)$)/

/** Whether a reply is to be read, not kept as a file. */
export function isText(headers: EgressReply['headers']): boolean {
  if (/^\s*attachment/i.test(headers['content-disposition'] ?? '')) return false
  const type = typeOf(headers)
  return type === '' || TEXT_TYPE.test(type)
}

/**
 * The reply's text in the encoding that it names, else UTF-8.
 * @throws NodeFailure when it is too long for a variable
 */
export function textOfReply({ headers, body }: EgressReply, maxBytes: number): string {
  if (body.length > maxBytes) {
    throw new NodeFailure('ResponseSizeError', `the answer is text of more than ${maxBytes} bytes`)
  }
  const charset = /charset\s*=\s*"?([\w.:-]+)/i.exec(headers['content-type'] ?? '')?.[1] ?? 'utf-8'
  return decoderOf(charset).decode(body)
}

/** A reply that is a file, by its address: there is no store for its bytes yet. */
export function answerFile({ url, headers, body }: EgressReply): JsonObject {
  const type = typeOf(headers)
  const kind = /^(image|audio|video)\//.exec(type)?.[1] ?? 'document'
  const named = /filename\s*=\s*"?([^";]+)/i.exec(headers['content-disposition'] ?? '')?.[1]?.trim() ?? null
  return { ...remoteFile(kind, url, named), mime_type: type, size: body.length }
}

function typeOf(headers: EgressReply['headers']): string {
  return (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}

function decoderOf(charset: string): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(charset)
  } catch (error) {
    if (error instanceof RangeError) return new TextDecoder()
    throw error
  }
}
