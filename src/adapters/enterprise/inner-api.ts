import { Agent, request } from 'undici'
import * as v from 'valibot'
import type { Timer } from '#application/ports/clock.ts'
import { DomainError } from '#domain/errors.ts'

export type InnerApiSettings = {
  /** Without a closing slash. */
  readonly apiUrl: string
  readonly secretKey: string
  readonly timer: Timer
  /** The W3C trace context of the request that is being answered, or null. */
  readonly traceparent: () => string | null
}

type Query = Readonly<Record<string, string>>

/** The Enterprise service beside this one. Whatever keeps its answer from being read is one error. */
export interface InnerApi {
  /** @throws DomainError `enterprise_failed` */
  get<T>(path: string, query: Query, shape: v.GenericSchema<unknown, T>): Promise<T>
  /** @throws DomainError `enterprise_failed` */
  post<T>(path: string, body: object, shape: v.GenericSchema<unknown, T>): Promise<T>
  /** Waits for what is under way. */
  close(): Promise<void>
}

/** From the first byte sent to the last one read. */
const TIMEOUT_MS = 5000
/** The longest answer is a page of 200 ids. */
const MAX_ANSWER_BYTES = 256 * 1024

export function createInnerApi({ apiUrl, secretKey, timer, traceparent }: InnerApiSettings): InnerApi {
  const agent = new Agent({ maxResponseSize: MAX_ANSWER_BYTES, allowH2: false })

  async function ask(method: 'GET' | 'POST', url: string, body: string | null): Promise<unknown> {
    const overdue = new AbortController()
    const cancel = timer(TIMEOUT_MS, () => overdue.abort(new Error(`no answer within ${TIMEOUT_MS} ms`)))
    const trace = traceparent()
    try {
      // Redirects are not followed: the secret is meant for one place.
      const answer = await request(url, {
        dispatcher: agent,
        method,
        signal: overdue.signal,
        body,
        headers: {
          Accept: 'application/json',
          'Enterprise-Api-Secret-Key': secretKey,
          ...(body === null ? {} : { 'Content-Type': 'application/json' }),
          ...(trace === null ? {} : { traceparent: trace }),
        },
      })
      // Read to its end whatever it says, so that the connection can be used again.
      const text = await answer.body.text()
      if (answer.statusCode < 200 || answer.statusCode > 299) throw new Error(`status ${answer.statusCode}`)
      return JSON.parse(text)
    } finally {
      cancel()
    }
  }

  async function read<T>(
    method: 'GET' | 'POST',
    path: string,
    { query = {}, body = null }: { query?: Query; body?: string | null },
    shape: v.GenericSchema<unknown, T>,
  ): Promise<T> {
    const search = new URLSearchParams(query).toString()
    try {
      const answer = v.safeParse(shape, await ask(method, `${apiUrl}${path}${search && `?${search}`}`, body))
      if (answer.success) return answer.output
      // Names only: the issues' own messages quote what was received.
      const places = answer.issues.map((issue) => v.getDotPath(issue) ?? '(all of it)')
      throw new Error(`not the promised shape: ${places.join(', ')}`)
    } catch (error) {
      throw new DomainError('enterprise_failed', {}, { cause: new Error(`${method} ${path}`, { cause: error }) })
    }
  }

  return {
    get: (path, query, shape) => read('GET', path, { query }, shape),
    post: (path, body, shape) => read('POST', path, { body: JSON.stringify(body) }, shape),
    close: () => agent.close(),
  }
}
