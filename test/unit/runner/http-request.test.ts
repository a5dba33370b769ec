import { expect } from 'chai'
import {
  EgressFailure,
  type EgressReply,
  type EgressRequest,
  type HttpEgress,
} from '#adapters/runner-native/egress/http-egress.ts'
import type { Json, JsonObject } from '#domain/app.ts'
import { aJob, aRunner, aTimer, outcomeOf, run } from './support.ts'
import { aNode, anEnd, aStart, aWorkflow, edges } from './workflow.ts'

const encoded = (text: string) => new TextEncoder().encode(text)
const decoded = (bytes: Uint8Array | null | undefined) => (bytes ? new TextDecoder().decode(bytes) : null)

/** The outside as a function; keeps what it was asked. */
function anOutside(
  reply: (request: EgressRequest) => Partial<EgressReply> = () => ({}),
): HttpEgress & { readonly asked: EgressRequest[] } {
  const asked: EgressRequest[] = []
  return {
    asked,
    async request(request) {
      asked.push(request)
      return { status: 200, headers: {}, body: encoded('{"a":1}'), url: request.url, ...reply(request) }
    },
  }
}

function requesting(data: JsonObject): JsonObject {
  const node = aNode('http', 'http-request', {
    method: 'get',
    url: 'https://api.test/x',
    headers: '',
    params: '',
    ...data,
  })
  const outputs = ['http.status_code', 'http.body', 'http.headers', 'http.files']
  return aWorkflow([aStart(), node, anEnd('end', ...outputs)], edges('start>http', 'http>end'), {
    environment_variables: [{ name: 'key', value: 's3cret' }],
  })
}

async function sent(data: JsonObject, inputs: JsonObject = {}): Promise<EgressRequest> {
  const egress = anOutside()
  const { ending } = await run(aJob('workflow', { workflow: requesting(data) }, { inputs }), { egress })
  const [request] = egress.asked
  if (request === undefined) throw new Error(JSON.stringify(ending))
  return request
}

async function answered(reply: Partial<EgressReply>, data: JsonObject = {}) {
  const egress = anOutside(() => reply)
  return (await run(aJob('workflow', { workflow: requesting(data) }), { egress })).ending
}

const file = (name: string): JsonObject => ({
  type: 'document',
  transfer_method: 'remote_url',
  related_id: null,
  url: `https://files.test/${name}`,
  name,
})

describe('http request', () => {
  it('fills variables into address, parameters and headers, and keeps repetitions', async () => {
    const request = await sent(
      {
        method: 'Post',
        url: ' https://{{#start.host#}}/x?own=1 ',
        params: 'q:{{#start.q#}}\nq:second\n\nempty:',
        headers: 'X-A: {{#start.q#}}\nX-A:two:2',
      },
      { host: 'api.test', q: 'a b&c' },
    )
    expect(request.method).to.equal('POST')
    expect(request.url).to.equal('https://api.test/x?own=1&q=a+b%26c&q=second&empty=')
    expect(request.headers).to.deep.equal([
      ['X-A', 'a b&c'],
      ['X-A', 'two:2'],
    ])
  })

  // A user's words come in through variables: they must not become headers of their own.
  it('lets no variable add a header', async () => {
    const request = await sent({ headers: 'X-A: {{#start.q#}}' }, { q: 'a\r\nAuthorization: stolen' })
    expect(request.headers).to.deep.equal([['X-A', 'a Authorization: stolen']])
  })

  it('takes a variable that stands alone for the list of headers that it is', async () => {
    const request = await sent({ headers: '{{#start.all#}}' }, { all: 'X-A: 1\nX-B: 2' })
    expect(request.headers).to.deep.equal([
      ['X-A', '1'],
      ['X-B', '2'],
    ])
  })

  for (const [config, name, value] of [
    [{ type: 'bearer', api_key: '{{#env.key#}}' }, 'Authorization', 'Bearer s3cret'],
    [{ type: 'basic', api_key: 'user:{{#env.key#}}' }, 'Authorization', 'Basic dXNlcjpzM2NyZXQ='],
    [{ type: 'basic', api_key: 'dXNlcg==' }, 'Authorization', 'Basic dXNlcg=='],
    [{ type: 'custom', header: 'X-Api-Key', api_key: '{{#env.key#}}' }, 'X-Api-Key', 's3cret'],
  ] as const) {
    it(`authorizes as ${config.type} with ${config.api_key}, and keeps that from other origins`, async () => {
      const request = await sent({ authorization: { type: 'api-key', config } })
      expect(request.headers).to.deep.equal([[name, value]])
      expect(request.secretHeaders).to.deep.equal([name])
    })
  }

  it('keeps the key out of what the run tells', async () => {
    const data = { url: 'https://api.test/x?key=s3cret', headers: 'X-Api-Key: {{#env.key#}}' }
    const { steps } = await run(aJob('workflow', { workflow: requesting(data) }), { egress: anOutside() })
    expect(JSON.stringify(steps)).to.not.include('s3cret')
  })

  describe('body', () => {
    const body = async (type: string, data: Json, inputs: JsonObject = {}) => {
      const request = await sent({ method: 'post', body: { type, data } }, inputs)
      const contentType = request.headers.find(([name]) => name === 'content-type')?.[1] ?? null
      return { text: decoded(request.body), contentType }
    }
    const entry = (value: string): Json => [{ key: '', type: 'text', value }]

    it('is nothing where there is none', async () => {
      expect(await body('none', '')).to.deep.equal({ text: null, contentType: null })
    })

    const jsonBodies: readonly (readonly [template: string, value: Json, sent: unknown])[] = [
      ['{"a":"{{#start.v#}}"}', 'plain', { a: 'plain' }],
      ['{"a":"{{#start.v#}}"}', 'say "hi"\nthere', { a: 'say "hi"\nthere' }],
      ['{"a":"{{#start.v#}}"}', 'x","admin":"true', { a: 'x","admin":"true' }],
      ['{"a":"{{#start.v#}}"}', 'escaped \\"already\\"', { a: 'escaped "already"' }],
      ['{"a":{{#start.v#}}}', { deep: [1] }, { a: { deep: [1] } }],
      ['{"a":{{#start.v#}}}', 'words', { a: 'words' }],
      ['{"a":{{#start.v#}}}', '1,"admin":true', { a: '1,"admin":true' }],
      ['{"a":{{#start.v#}}}', '"json text"', { a: 'json text' }],
      ['{{#start.v#}}', '{"a":1}', { a: 1 }],
      ["{a: 'loose', b: {{#start.v#}},}", 5, { a: 'loose', b: 5 }],
    ]
    for (const [template, value, expected] of jsonBodies) {
      it(`is ${JSON.stringify(expected)} for ${template} and ${JSON.stringify(value)}`, async () => {
        const { text, contentType } = await body('json', entry(template), { v: value })
        expect(JSON.parse(text ?? '')).to.deep.equal(expected)
        expect(contentType).to.equal('application/json')
      })
    }

    it('is text, from the old layout and the new', async () => {
      expect(await body('raw-text', 'old {{#start.v#}}', { v: 1 })).to.deep.equal({
        text: 'old 1',
        contentType: 'text/plain',
      })
      expect((await body('raw-text', entry('new'))).text).to.equal('new')
    })

    it('is a form, from the old layout and the new', async () => {
      const fields = [
        { key: 'a', type: 'text', value: '{{#start.v#}}' },
        { key: 'b', type: 'text', value: '2' },
      ]
      const form = { text: 'a=x+y%26z&b=2', contentType: 'application/x-www-form-urlencoded' }
      expect(await body('x-www-form-urlencoded', fields, { v: 'x y&z' })).to.deep.equal(form)
      expect(await body('x-www-form-urlencoded', 'a:{{#start.v#}}\nb:2', { v: 'x y&z' })).to.deep.equal(form)
    })

    it('is a form with files, which are fetched through the guard', async () => {
      const fields = [
        { key: 'name', type: 'text', value: 'v' },
        { key: 'doc', type: 'file', file: ['start', 'doc'] },
      ]
      const egress = anOutside(() => ({ body: encoded('content') }))
      const workflow = requesting({ method: 'post', body: { type: 'form-data', data: fields } })
      await run(aJob('workflow', { workflow }, { inputs: { doc: file('a.txt') } }), { egress })
      expect(egress.asked.map(({ url }) => url)).to.deep.equal(['https://files.test/a.txt', 'https://api.test/x'])
      const [, request] = egress.asked
      const type = request?.headers.find(([name]) => name === 'content-type')?.[1] ?? ''
      const form = await new Response(decoded(request?.body), { headers: { 'content-type': type } }).formData()
      expect(form.get('name')).to.equal('v')
      expect(await (form.get('doc') as File).text()).to.equal('content') // the form was made with a file there
    })

    it('is a file, and a clear failure without one', async () => {
      const egress = anOutside(() => ({ body: encoded('content') }))
      const workflow = requesting({
        method: 'post',
        body: { type: 'binary', data: [{ type: 'file', file: ['start', 'doc'] }] },
      })
      await run(aJob('workflow', { workflow }, { inputs: { doc: file('a.bin') } }), { egress })
      expect(decoded(egress.asked[1]?.body)).to.equal('content')
      const { ending } = await run(aJob('workflow', { workflow }, { inputs: { doc: null } }), { egress })
      expect(ending.kind === 'failed' && ending.failure.message).to.equal('there is no file to send')
    })
  })

  it('gives status, headers and text of the answer', async () => {
    const reply = {
      status: 404,
      headers: { 'content-type': 'text/html; charset=iso-8859-1' },
      body: new Uint8Array([0xe9]),
    }
    expect((await answered(reply)).outputs).to.deep.equal({
      status_code: 404,
      body: 'é',
      headers: reply.headers,
      files: [],
    })
  })

  it('gives a file for what is not to be read, or to be kept', async () => {
    for (const headers of [
      { 'content-type': 'image/png' },
      { 'content-type': 'text/csv', 'content-disposition': 'attachment; filename="a.csv"' },
    ]) {
      const { outputs } = await answered({ headers })
      expect(outputs.body).to.equal('')
      expect(outputs.files).to.have.length(1)
    }
  })

  it('refuses text of more than a mebibyte', async () => {
    const ending = await answered({ headers: { 'content-type': 'application/json' }, body: new Uint8Array(1_048_577) })
    expect(ending.kind === 'failed' && ending.failure.message).to.include('1048576')
  })

  it('takes a bad status for a failure only where the author provided for it', async () => {
    expect((await answered({ status: 500 })).kind).to.equal('succeeded')
    const provided = {
      error_strategy: 'default-value',
      default_value: [{ key: 'body', type: 'string', value: 'instead' }],
    }
    const ending = await answered({ status: 500 }, provided)
    expect(ending.kind).to.equal('partial')
    expect(ending.outputs.body).to.equal('instead')
  })

  it('tries again after a bad status', async () => {
    const { timer, fire, waiting } = aTimer()
    let count = 0
    const egress = anOutside(() => {
      count += 1
      return { status: count === 1 ? 503 : 200 }
    })
    const retry = { retry_enabled: true, max_retries: 2, retry_interval: 700 }
    const job = aJob('workflow', { workflow: requesting({ retry_config: retry }) })
    const steps = aRunner({ egress, timer }).run(job, new AbortController().signal)
    const watched = async function* () {
      for await (const step of steps) {
        yield step
        if (step.kind === 'node_retry') setImmediate(() => fire(700))
      }
    }
    const { ending, path } = await outcomeOf(watched())
    expect(ending.kind).to.equal('succeeded')
    expect(path).to.include('node_retry:http')
    expect(waiting()).to.deep.equal([])
  })

  it('fails with the words of the guard', async () => {
    const egress: HttpEgress = {
      request: async () => {
        throw new EgressFailure('refused', 'inside.test is not open to apps')
      },
    }
    const { ending } = await run(aJob('workflow', { workflow: requesting({}) }), { egress })
    expect(ending.kind === 'failed' && ending.failure.message).to.equal('inside.test is not open to apps')
  })

  it('asks for no more time than it may have, and for less where it is told to', async () => {
    expect(await sent({ timeout: { max_connect_timeout: 0, max_read_timeout: 0 } })).to.deep.include({
      connectMs: 10_000,
      totalMs: 600_000,
    })
    expect(await sent({ timeout: { connect: 2, read: 9_999 } })).to.deep.include({ connectMs: 2000, totalMs: 600_000 })
  })
})
