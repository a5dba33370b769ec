import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Whether a request carries a signature of version 4 for S3 made with `secretKey`, checked by the protocol alone. */
export function isSigned(request: IncomingMessage, accessKey: string, secretKey: string): boolean {
  const header = request.headers.authorization ?? ''
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8}\/[^/]+\/s3\/aws4_request), ?SignedHeaders=([\w;-]+), ?Signature=([0-9a-f]{64})$/
  const [, key, scope = '', signed = '', signature = ''] = match.exec(header) ?? []
  if (key !== accessKey || !signed.split(';').includes('host')) return false
  const url = new URL(request.url ?? '/', 'http://x')
  const headers = signed.split(';').map((name) => `${name}:${String(request.headers[name] ?? '').trim()}\n`)
  const canonical = [
    request.method,
    url.pathname,
    canonicalQuery(url.search.slice(1)),
    headers.join(''),
    signed,
    request.headers['x-amz-content-sha256'],
  ].join('\n')
  const digest = createHash('sha256').update(canonical).digest('hex')
  const text = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, digest].join('\n')
  const signing = scope.split('/').reduce<Buffer | string>((so, part) => hmac(so, part), `AWS4${secretKey}`)
  return timingSafeEqual(hmac(signing, text), Buffer.from(signature, 'hex'))
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/** Sorted by name, and each with its equals sign. */
function canonicalQuery(query: string): string {
  const pairs = query.split('&').filter((pair) => pair !== '')
  return pairs
    .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
    .toSorted()
    .join('&')
}
