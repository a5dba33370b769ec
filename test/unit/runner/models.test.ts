import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import {
  type ModelChunk,
  type ModelClient,
  ModelFailure,
  type ModelMessage,
} from '#adapters/runner-native/models/model-client.ts'
import { openModel } from '#adapters/runner-native/models/open-model.ts'
import type { JsonObject } from '#domain/app.ts'
import { aTimer } from './support.ts'

const never = new AbortController().signal
const user = (text: string): ModelMessage => ({ role: 'user', text })

async function chunksOf(
  model: ModelClient,
  messages: readonly ModelMessage[],
  params: JsonObject = {},
  signal = never,
) {
  const chunks: ModelChunk[] = []
  for await (const chunk of model.stream({ model: 'of-the-app', messages, params }, signal)) chunks.push(chunk)
  return chunks
}

const deltasOf = (chunks: readonly ModelChunk[]) =>
  chunks.flatMap((chunk) => (chunk.kind === 'text' ? [chunk.delta] : []))

function scripted(url = 'scripted:', timer = aTimer().timer): ModelClient {
  const model = openModel({ baseUrl: url, apiKey: null, name: null }, timer)
  if (model === null) throw new Error('no model')
  return model
}

describe('scripted model', () => {
  it('says what follows the last command in the prompt, to the end of its line', async () => {
    const prompt: ModelMessage = {
      role: 'system',
      text: 'Reply exactly: not this\nReply exactly: four words of it\nmore',
    }
    expect(deltasOf(await chunksOf(scripted(), [prompt, user('hello')]))).to.deep.equal(['four words of ', 'it'])
  })

  it('else echoes what the user said last, in small pieces, and counts words', async () => {
    const chunks = await chunksOf(scripted(), [
      user('old'),
      { role: 'assistant', text: 'x' },
      user('one two three four'),
    ])
    expect(deltasOf(chunks)).to.deep.equal(['one two three ', 'four'])
    expect(chunks.at(-1)).to.deep.equal({
      kind: 'usage',
      usage: { promptTokens: 6, completionTokens: 4, totalTokens: 10 },
    })
  })

  it('waits before every piece, and stops waiting when nobody listens any more', async () => {
    const clock = aTimer()
    const stop = new AbortController()
    const stream = scripted('scripted:?latency_ms=40', clock.timer)
      .stream({ model: null, messages: [user('one two three four')], params: {} }, stop.signal)
      [Symbol.asyncIterator]()
    const first = stream.next()
    await null
    expect(clock.waiting()).to.deep.equal([40])
    clock.fire(40)
    expect((await first).value).to.deep.equal({ kind: 'text', delta: 'one two three ' })
    const second = stream.next()
    stop.abort()
    expect((await second).done).to.equal(true)
    expect(clock.waiting()).to.deep.equal([])
  })

  it('is off unless asked for', () => {
    expect(openModel({ baseUrl: null, apiKey: 'k', name: 'n' }, aTimer().timer)).to.equal(null)
    expect(openModel({ baseUrl: '', apiKey: 'k', name: 'n' }, aTimer().timer)).to.equal(null)
  })
})

/** An answer without a word. */
const EMPTY = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }

describe('OpenAI-compatible model', () => {
  const seen: { url: string | undefined; auth: string | undefined; body: JsonObject }[] = []
  let answer: (request: IncomingMessage, response: ServerResponse) => void
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    seen.push({ url: request.url, auth: request.headers.authorization, body: JSON.parse(body) })
    answer(request, response)
  })
  before(() => new Promise<void>((up) => server.listen(0, '127.0.0.1', up)))
  beforeEach(() => {
    seen.length = 0
  })
  after(() => {
    server.closeAllConnections()
    return new Promise((down) => server.close(down))
  })

  /** `address` is what the settings would hold. */
  function model(name: string | null = 'configured', apiKey: string | null = 'sk-secret-key'): ModelClient {
    const address = server.address() as AddressInfo // a listening TCP server has one
    const opened = openModel({ baseUrl: `http://127.0.0.1:${address.port}/v1`, apiKey, name }, aTimer().timer)
    if (opened === null) throw new Error('no model')
    return opened
  }

  function stream(...events: readonly unknown[]): void {
    answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (const event of events.length === 0 ? [EMPTY] : events) response.write(`data: ${JSON.stringify(event)}\n\n`)
      response.end('data: [DONE]\n\n')
    }
  }

  function refuse(status: number, error: JsonObject, headers: Record<string, string> = {}): void {
    answer = (_, response) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(JSON.stringify({ error }))
    }
  }

  async function failureOf(used = model()) {
    try {
      await chunksOf(used, [user('q')])
    } catch (error) {
      if (error instanceof ModelFailure) return error.failure
      throw error
    }
    throw new Error('it did not fail')
  }

  it('streams text, thinking, the reason to end and what was used', async () => {
    stream(
      { choices: [{ delta: { reasoning_content: 'hm' } }] },
      { choices: [{ delta: { content: 'Hel' } }] },
      { choices: [{ delta: { content: 'lo' }, finish_reason: 'stop' }] },
      { choices: [], usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } },
    )
    expect(await chunksOf(model(), [user('q')])).to.deep.equal([
      { kind: 'reasoning', delta: 'hm' },
      { kind: 'text', delta: 'Hel' },
      { kind: 'text', delta: 'lo' },
      { kind: 'finish', reason: 'stop' },
      { kind: 'usage', usage: { promptTokens: 1, completionTokens: 2, totalTokens: 3 } },
    ])
  })

  it('passes parameters it does not know on, asks for usage, and prefers the configured name', async () => {
    stream()
    const image = { url: 'https://example.org/a.png', detail: 'low' }
    await chunksOf(model(), [{ ...user('look'), images: [image] }], {
      enable_thinking: true,
      model: 'other',
      stream: false,
    })
    await chunksOf(model(null), [user('q')])
    expect(seen[0]).to.deep.equal({
      url: '/v1/chat/completions',
      auth: 'Bearer sk-secret-key',
      body: {
        enable_thinking: true,
        model: 'configured',
        stream: true,
        stream_options: { include_usage: true },
        messages: [
          {
            role: 'user',
            content: [
              { type: 'image_url', image_url: image },
              { type: 'text', text: 'look' },
            ],
          },
        ],
      },
    })
    expect(seen[1]?.body.model).to.equal('of-the-app')
  })

  it('words the format of the answer as the protocol has it', async () => {
    const schema = { name: 'x', schema: { type: 'object' } }
    const formats: readonly (readonly [params: JsonObject, wire: JsonObject])[] = [
      [{ response_format: 'json_object' }, { response_format: { type: 'json_object' } }],
      [
        { response_format: 'json_schema', json_schema: JSON.stringify(schema) },
        { response_format: { type: 'json_schema', json_schema: schema } },
      ],
      [{ response_format: { type: 'text' } }, { response_format: { type: 'text' } }],
    ]
    for (const [params, wire] of formats) {
      stream()
      await chunksOf(model(), [user('q')], params)
      expect(seen.at(-1)?.body).to.deep.include(wire).and.not.have.property('json_schema')
    }
  })

  const refusals: readonly (readonly [number, JsonObject, string])[] = [
    [401, { message: 'Incorrect API key sk-secret-key' }, 'provider_not_initialize'],
    [403, { message: 'no' }, 'provider_not_initialize'],
    [402, { message: 'pay' }, 'provider_quota_exceeded'],
    [429, { message: 'pay', code: 'insufficient_quota' }, 'provider_quota_exceeded'],
    [404, { message: 'no such model' }, 'model_currently_not_support'],
    [429, { message: 'slow' }, 'rate_limit_error'],
    [400, { message: 'bad sk-secret-key' }, 'completion_request_error'],
    [500, { message: 'oops' }, 'completion_request_error'],
  ]
  for (const [status, error, code] of refusals) {
    it(`reads ${status} ${JSON.stringify(error)} as ${code}, asks once and gives no key away`, async () => {
      refuse(status, error)
      const failure = await failureOf()
      expect(failure.code).to.equal(code)
      expect(JSON.stringify(failure)).not.to.include('sk-secret-key')
      expect(seen).to.have.length(1)
    })
  }

  it('says when a busy model may be asked again', async () => {
    refuse(429, { message: 'slow' }, { 'retry-after': '7' })
    expect((await failureOf()).retryAfterMs).to.equal(7000)
    refuse(429, { message: 'slow' })
    expect((await failureOf()).retryAfterMs).to.equal(1000)
  })

  it('fails when the connection breaks half-way or never comes', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: {"choices":[{"delta":{"content":"a"}}]}\n\n', () => response.destroy())
    }
    expect((await failureOf()).code).to.equal('completion_request_error')
    const dead = openModel({ baseUrl: 'http://user:hunter2@127.0.0.1:1/v1', apiKey: null, name: 'n' }, aTimer().timer)
    const failure = await failureOf(dead ?? undefined)
    expect(failure.code).to.equal('completion_request_error')
    // The address is the operator's, and may hold a password.
    expect(JSON.stringify(failure)).not.to.include('hunter2')
  })

  for (const [what, type, body] of [
    ['a page', 'text/html', '<html><body>Welcome</body></html>'],
    ['nothing at all', 'text/event-stream', ''],
    ['the end and nothing before it', 'text/event-stream', 'data: [DONE]\n\n'],
    ['half a chunk', 'text/event-stream', 'data: {"choices":[{"delta":{"content":"a"'],
    ['a chunk that is no JSON', 'text/event-stream', 'data: }{\n\n'],
    ['a chunk that is no chunk', 'text/event-stream', 'data: "hello"\n\ndata: [1]\n\n'],
    ['JSON of another protocol', 'application/json', '{"answer":"hi"}'],
  ] as const) {
    it(`fails with one clear error when the endpoint sends ${what}`, async () => {
      answer = (_, response) => void response.writeHead(200, { 'content-type': type }).end(body)
      const failure = await failureOf()
      expect(failure.code).to.equal('completion_request_error')
      expect(failure.message).to.match(/^The model [^{}<>]*\.$/)
    })
  }

  it('H11 closes the connection when the run is aborted', async () => {
    const closed = Promise.withResolvers<void>()
    answer = (request, response) => {
      request.socket.once('close', () => closed.resolve())
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: {"choices":[{"delta":{"content":"a"}}]}\n\n')
    }
    const stop = new AbortController()
    for await (const _ of model().stream({ model: null, messages: [user('q')], params: {} }, stop.signal)) stop.abort()
    await closed.promise
  })
})
