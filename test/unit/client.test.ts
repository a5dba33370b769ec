import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { type Client, createClient, type RunEvent, UnexpectedAnswer } from 'latchkey/client'
import { clientTypes } from '../../scripts/client-types.ts'

const fileAt = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8')

/** A server that gives one answer, and the requests that it got. */
function answering(answer: () => Response) {
  const asked: { readonly url: string; readonly init: RequestInit | undefined }[] = []
  const fetch: typeof globalThis.fetch = async (url, init) => {
    asked.push({ url: String(url), init })
    return answer()
  }
  return { api: createClient({ baseUrl: 'https://latchkey.example/', token: 't', fetch }), asked }
}

async function thrownBy(work: () => Promise<unknown>): Promise<unknown> {
  try {
    return await work().then(() => null)
  } catch (error) {
    return error
  }
}

describe('latchkey/client', () => {
  it('has the types of docs/openapi.json (npm run client writes them)', async () => {
    expect(await fileAt('client/schema.d.ts')).to.equal(clientTypes(JSON.parse(await fileAt('docs/openapi.json'))))
  })

  it('imports nothing, so that it runs in a browser as it is', async () => {
    expect(await fileAt('client/index.js')).not.to.match(/^\s*import\b|\bimport\(|\brequire\(|\bprocess\b|\bBuffer\b/m)
  })

  it('fills paths and queries in, escaped', async () => {
    const { api, asked } = answering(() => Response.json({}))
    await api.GET('/apps/{id}/describe', { path: { id: 'a/b?c' }, query: { fields: 'info,parameters' } })
    expect(asked[0]?.url).to.equal(
      'https://latchkey.example/openapi/v1/apps/a%2Fb%3Fc/describe?fields=info%2Cparameters',
    )
    expect(asked[0]?.init).to.deep.include({ method: 'GET', redirect: 'error' })
    expect(asked[0]?.init?.headers).to.deep.equal({ Accept: 'application/json', Authorization: 'Bearer t' })
  })

  // `..` survives escaping, and fetch resolves it: the bearer would be used on another route.
  it('refuses an id that would climb to another route', async () => {
    const { api, asked } = answering(() => Response.json({}))
    for (const id of ['..', '.', '']) {
      expect(await thrownBy(() => api.DELETE('/account/sessions/{id}', { path: { id } }))).to.be.instanceOf(TypeError)
    }
    expect(asked).to.deep.equal([])
  })

  it('throws on what is not the API’s answer', async () => {
    for (const answer of [
      new Response('<html>', { status: 502, headers: { 'Content-Type': 'text/html' } }),
      new Response('{', { headers: { 'Content-Type': 'application/json' } }),
      new Response(null, { status: 204 }),
    ]) {
      const { api } = answering(() => answer)
      const error = await thrownBy(() => api.GET('/_health'))
      expect(error).to.be.instanceOf(UnexpectedAnswer)
      expect(error).to.have.property('status', answer.status)
    }
  })

  it('puts events together that arrive in pieces, and passes pings over', async () => {
    const text = 'event: ping\n\ndata: {"event":"message","answer":"ü€"}\n\ndata: {"event":"error"}\n\n'
    const bytes = new TextEncoder().encode(text)
    const pieces = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte))
        controller.close()
      },
    })
    const { api } = answering(() => new Response(pieces, { headers: { 'Content-Type': 'text/event-stream' } }))
    const started = await api.stream('/apps/{id}/run', { path: { id: 'a' }, body: { inputs: {} } })
    if (started.status !== 200) throw new Error('not started')
    const events: RunEvent[] = []
    for await (const event of started.events) events.push(event)
    expect(events).to.deep.equal([{ event: 'message', answer: 'ü€' }, { event: 'error' }])
  })

  it('hangs up when the loop is left', async () => {
    let cancelled = false
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode('data: {"event":"message"}\n\n')),
      cancel: () => {
        cancelled = true
      },
    })
    const { api } = answering(() => new Response(endless, { headers: { 'Content-Type': 'text/event-stream' } }))
    const started = await api.stream('/apps/{id}/run', { path: { id: 'a' }, body: { inputs: {} } })
    if (started.status !== 200) throw new Error('not started')
    for await (const event of started.events) if (event.event === 'message') break
    expect(cancelled).to.equal(true)
  })
})

/** Never called: `tsc` reads it. */
export async function typesHold(api: Client): Promise<void> {
  const account = await api.GET('/account')
  // @ts-expect-error a refusal has no email
  account.data.subject_email
  if (account.status === 200) account.data.subject_email satisfies string
  if (account.status === 429) account.data.retry_after_ms satisfies number | undefined
  if (account.status === 401) account.data.error satisfies 'bearer_required' | 'invalid_bearer'
  // @ts-expect-error no such status is listed
  if (account.status === 418) return
  // @ts-expect-error no such route
  await api.GET('/accounts')
  // @ts-expect-error the route takes another method
  await api.POST('/account')
  // @ts-expect-error the workspace is not optional
  await api.GET('/apps')
  await api.GET('/apps', { query: { workspace_id: 'w', page: 2, mode: 'chat' } })
  // @ts-expect-error no such mode
  await api.GET('/apps', { query: { workspace_id: 'w', mode: 'chatty' } })
  // @ts-expect-error the id is not optional
  await api.DELETE('/account/sessions/{id}')
  // @ts-expect-error the body is not optional
  await api.POST('/oauth/device/code')
  // @ts-expect-error a label is text
  await api.POST('/oauth/device/code', { body: { client_id: 'latchkey', device_label: 7 } })
  // @ts-expect-error a redirect is for browsers
  await api.GET('/oauth/device/sso-initiate')
  // @ts-expect-error the method says how a run answers
  await api.stream('/apps/{id}/run', { path: { id: 'a' }, body: { inputs: {}, response_mode: 'blocking' } })
  // @ts-expect-error only a run streams
  await api.stream('/account')
  const started = await api.stream('/apps/{id}/run', { path: { id: 'a' }, body: { inputs: {} } })
  if (started.status !== 200) return void (started.data.message satisfies string)
  for await (const event of started.events) {
    if (event.event === 'message') event.answer satisfies string
    if (event.event === 'workflow_finished') event.data.outputs satisfies Record<string, unknown>
    // @ts-expect-error no such event
    if (event.event === 'done') return
  }
}
