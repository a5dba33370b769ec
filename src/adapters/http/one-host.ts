import type { IncomingMessage } from 'node:http'

/** RFC 3986 §3.2.2, without the comma, which no name has: it is what joins two lines on their way into one. */
const HOST = /^(?:\[[\w:.%~-]+\]|[\w.~!$&'()*+;=%-]*)(?::\d*)?$/

/**
 * Whether `req` names one host, as RFC 9112 §3.2 demands. Of two, Node takes the first; a proxy or a cache that takes
 * the other would keep the answer for a place that it is not of. On lines as they came: any other way to see a second
 * one has Node build all headers anew.
 */
export function namesOneHost({ rawHeaders, httpVersion }: IncomingMessage): boolean {
  let host: string | null = null
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]
    if (name?.length !== 4 || name.toLowerCase() !== 'host') continue
    if (host !== null) return false
    host = rawHeaders[at + 1] ?? ''
  }
  return host === null ? httpVersion !== '1.1' : HOST.test(host)
}
