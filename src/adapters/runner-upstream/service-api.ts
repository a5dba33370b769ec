import type { Timer } from '#application/ports/clock.ts'
import type { JsonObject } from '#domain/app.ts'
import { isObject, jsonIn, textAt } from '#domain/json.ts'
import type { Told } from './frame-reader.ts'
import { readFrames } from './read-frames.ts'
import { explain, UpstreamFailure, upstreamFailed } from './upstream-failure.ts'

/** Where an app runs, and the key that its server knows it by. */
export type Place = { readonly url: string; readonly key: string }

export type ServiceApi = {
  /** @throws UpstreamFailure */
  get(place: Place, path: string): Promise<JsonObject>
  /** @throws UpstreamFailure */
  post(place: Place, path: string, body: JsonObject): Promise<JsonObject>
  /** What answers `body`. @throws UpstreamFailure, also while it is read */
  stream(place: Place, path: string, body: JsonObject, signal: AbortSignal): Promise<AsyncGenerator<Told>>
  /** The id that the other server gave the file. @throws UpstreamFailure */
  upload(place: Place, file: { name: string; mimeType: string; bytes: Uint8Array }, user: string): Promise<string>
}

const ANSWER_MS = 60_000
const MAX_ANSWER_BYTES = 1024 * 1024
const HINT_EGRESS = 'If it is in a private network, whoever runs this server has to allow it (EGRESS_ALLOW_HOSTS).'

/** The Service API of a Dify, as its public documentation describes it. `fetch` follows no redirect: the key is for one place. */
export function createServiceApi({ fetch, timer }: { fetch: typeof globalThis.fetch; timer: Timer }): ServiceApi {
  /** The minute is for all that `read` waits for: a server may begin its answer and never end it. */
  async function send<Answer>(
    place: Place,
    path: string,
    init: RequestInit,
    read: (reply: Response) => Promise<Answer>,
    signal?: AbortSignal,
  ): Promise<Answer> {
    const late = new AbortController()
    const cancel = timer(ANSWER_MS, () => late.abort())
    const headers = { ...init.headers, Authorization: `Bearer ${place.key}` }
    const either = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal])
    try {
      const reply = await fetch(`${place.url.replace(/\/+$/, '')}${path}`, { ...init, headers, signal: either })
      if (reply.ok) return await read(reply)
      throw await refusal(reply, place.key)
    } catch (error) {
      if (error instanceof UpstreamFailure) throw error
      const why = late.signal.aborted ? 'did not answer in time' : 'could not be reached'
      throw upstreamFailed(`The server of the app ${why}.`, HINT_EGRESS, error)
    } finally {
      cancel()
    }
  }

  async function asJson(reply: Response): Promise<JsonObject> {
    const json = parse(await textOf(reply))
    if (json === null) throw upstreamFailed('The server of the app answered with something that is no JSON.')
    return json
  }

  const withJson = (body: JsonObject): RequestInit => ({
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })

  return {
    get: (place, path) => send(place, path, { method: 'GET' }, asJson),
    post: (place, path, body) => send(place, path, withJson(body), asJson),

    async stream(place, path, body, signal) {
      const over = new AbortController()
      const begun = async (answer: Response) => answer
      const reply = await send(place, path, withJson(body), begun, AbortSignal.any([signal, over.signal]))
      const type = reply.headers.get('content-type') ?? ''
      if (reply.body === null || !/^text\/event-stream\b/i.test(type)) {
        void reply.body?.cancel().catch(() => {})
        throw upstreamFailed('The server of the app did not answer with a stream of events.')
      }
      return framesOf(reply.body, over)
    },

    async upload(place, { name, mimeType, bytes }, user) {
      const form = new FormData()
      // A copy with a buffer of its own, which the type asks for.
      form.append('file', new Blob([Uint8Array.from(bytes)], { type: mimeType }), name)
      form.append('user', user)
      // Written out here: a form is one implementation's own, and the way out may be another's.
      const written = new Response(form)
      const headers = { 'Content-Type': written.headers.get('content-type') ?? '' }
      const body = new Uint8Array(await written.arrayBuffer())
      const id = textAt(await send(place, '/files/upload', { method: 'POST', headers, body }, asJson), 'id')
      if (id === '') throw upstreamFailed('The server of the app did not say what it calls the file.')
      return id
    },
  }

  /** However it ends, the connection ends with it: a reader that waits cannot be called off otherwise. */
  async function* framesOf(body: AsyncIterable<Uint8Array>, over: AbortController): AsyncGenerator<Told> {
    try {
      yield* readFrames(body, timer)
    } catch (error) {
      if (error instanceof UpstreamFailure) throw error
      throw upstreamFailed('The connection to the server of the app was lost.', undefined, error)
    } finally {
      over.abort()
    }
  }
}

async function refusal(reply: Response, key: string): Promise<UpstreamFailure> {
  const said = parse(await textOf(reply).catch(() => '')) ?? {}
  const { status } = reply
  const retryAfter = reply.headers.get('retry-after')
  return explain({ status, code: textAt(said, 'code'), message: textAt(said, 'message'), retryAfter }, key)
}

async function textOf(reply: Response): Promise<string> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of reply.body ?? []) {
    size += piece.length
    if (size > MAX_ANSWER_BYTES) throw upstreamFailed('The server of the app answered with too much.')
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

function parse(text: string): JsonObject | null {
  const json = jsonIn(text)
  return isObject(json) ? json : null
}
