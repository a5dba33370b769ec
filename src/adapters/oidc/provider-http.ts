import type { CustomFetch } from 'openid-client'
import { Agent, request } from 'undici'

export type ProviderHttp = { readonly fetch: CustomFetch; close(): Promise<void> }

/** Bytes of the longest answer: tokens with 200 groups in them, or a set of keys, and room to spare. */
const MAX_ANSWER_BYTES = 256 * 1024

/**
 * How a provider is asked: no redirect is followed, nothing is unpacked, and no answer is read past its bound. How long
 * it may take is the caller's `signal`, which covers the body too.
 */
export function createProviderHttp(): ProviderHttp {
  const agent = new Agent({ maxResponseSize: MAX_ANSWER_BYTES, allowH2: false })
  return {
    async fetch(url, { method, headers, body, signal }) {
      const answer = await request(url, {
        dispatcher: agent,
        method: method === 'POST' ? 'POST' : 'GET',
        headers: { ...headers, 'accept-encoding': 'identity' },
        body: body === undefined || body === null ? null : String(body),
        signal: signal ?? null,
      })
      const text = await answer.body.text()
      const { statusCode: status } = answer
      // These have no body, and `Response` insists on it.
      return new Response([204, 205, 304].includes(status) ? null : text, { status, headers: flat(answer.headers) })
    },
    close: () => agent.close(),
  }
}

function flat(headers: Readonly<Record<string, string | string[] | undefined>>): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
  )
}
