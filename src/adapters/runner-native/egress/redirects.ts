import type { EgressReply, EgressRequest } from './http-egress.ts'

const REDIRECTS = [301, 302, 303, 307, 308]
/** What only the origin it was meant for may see. */
const SECRET = ['authorization', 'cookie', 'proxy-authorization']
const ABOUT_BODY = /^content-/i
/** Authors put keys into headers of any name; what sounds like one stays where it was meant for. */
const SOUNDS_SECRET = /auth|key|token|secret|passw|credential|session|signature/i

/** The request that a redirect calls for (RFC 9110 §15.4), or null when the reply is the answer. */
export function nextHop(request: EgressRequest, from: URL, reply: EgressReply): EgressRequest | null {
  const { location } = reply.headers
  if (!REDIRECTS.includes(reply.status) || !location || !URL.canParse(location, from.href)) return null
  const to = new URL(location, from)
  // A fragment is the caller's business; everything else of the place is checked like the first one was.
  to.hash = ''
  const method = methodAfter(request.method.toUpperCase(), reply.status)
  const isKept = method === request.method.toUpperCase()
  const isSameOrigin = to.origin === from.origin
  const secret = [...SECRET, ...request.secretHeaders.map((name) => name.toLowerCase())]
  return {
    ...request,
    url: to.href,
    method,
    body: isKept ? request.body : null,
    headers: request.headers.filter(
      ([name]) =>
        (isKept || !ABOUT_BODY.test(name)) &&
        (isSameOrigin || !(secret.includes(name.toLowerCase()) || SOUNDS_SECRET.test(name))),
    ),
  }
}

/** What everybody does, and the RFC allows: a POST that is moved becomes a GET. */
function methodAfter(method: string, status: number): string {
  if (status === 303) return method === 'HEAD' ? 'HEAD' : 'GET'
  return (status === 301 || status === 302) && method === 'POST' ? 'GET' : method
}
