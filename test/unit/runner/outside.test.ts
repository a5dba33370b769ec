import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { expect } from 'chai'
import type { EgressRules } from '#adapters/runner-native/egress/address-policy.ts'
import { createGuardedEgress } from '#adapters/runner-native/egress/guarded-egress.ts'
import { createGuardedFetch } from '#adapters/runner-native/egress/guarded-fetch.ts'
import { openModel } from '#adapters/runner-native/models/open-model.ts'
import { type Bindings, type DatasetBinding, NO_BINDINGS, type ToolBinding } from '#application/ports/bindings.ts'
import type { AppDefinition, Json, JsonObject } from '#domain/app.ts'
import { isObject } from '#domain/json.ts'
import { onLoopback } from '../../support/loopback.ts'
import { aDefinition, aJob, anApp, aRunner, aSpyModel, aTimer, outcomeOf, run } from './support.ts'
import { aNode, anAnswer, anEnd, anLlm, aStart, aWorkflow, edges, inARow } from './workflow.ts'

type Heard = {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}
type Play = (heard: Heard, answer: ServerResponse, nth: number) => void

/** A server on loopback that does as it is told; keeps what it heard. */
async function aServer(play: Play): Promise<{ url: string; heard: Heard[]; close(): Promise<void> }> {
  const heard: Heard[] = []
  const server: Server = createServer((request, answer) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      const one = { method, url, headers, body: Buffer.concat(chunks).toString() }
      heard.push(one)
      play(one, answer, heard.length)
    })
  })
  return { heard, ...(await onLoopback(server)) }
}

const json = (answer: ServerResponse, value: Json, status = 200) =>
  answer.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))

const open: EgressRules = { allowCidrs: ['127.0.0.1/32'], allowHosts: [] }
const closed: EgressRules = { allowCidrs: [], allowHosts: [] }

/** The way outside as it is in the server, with loopback opened. */
function web(bindings: Partial<Bindings>, rules = open) {
  const all: Bindings = { ...NO_BINDINGS, ...bindings }
  const timer = (delayMs: number, fire: () => void) => {
    const handle = setTimeout(fire, delayMs)
    return () => clearTimeout(handle)
  }
  return {
    egress: createGuardedEgress({ rules, timer }),
    webFetch: createGuardedFetch({ rules }),
    bound: {
      load: async () => all,
      openModel: () => {
        throw new Error('no model is bound')
      },
    },
  }
}

const toolNode = (given: JsonObject = {}) =>
  inARow(
    aNode('tool', 'tool', { provider_name: 'p', tool_name: 't', tool_parameters: given }),
    anEnd('end', 'tool.text', 'tool.json'),
  )

async function called(target: ToolBinding, given: JsonObject = {}, rules = open, parts = {}) {
  const workflow = toolNode(given)
  const { ending } = await run(aJob('workflow', { workflow }), { ...web({ tool: () => target }, rules), ...parts })
  return { ...ending, why: ending.kind === 'failed' ? ending.failure.message : null }
}

describe('OpenAPI tool', () => {
  const document: JsonObject = {
    paths: {
      '/pets/{id}': {
        parameters: [{ $ref: '#/components/parameters/id' }],
        post: {
          operationId: 't',
          summary: 'Changes a pet',
          parameters: [
            { name: 'tag', in: 'query', schema: { type: 'array', items: { type: 'string' } } },
            { name: 'X-Trace', in: 'header', schema: { type: 'string' } },
            { name: 'Authorization', in: 'header', schema: { type: 'string' } },
          ],
          requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/pet' } } } },
        },
      },
    },
    components: {
      parameters: { id: { name: 'id', in: 'path', required: true, schema: { type: 'string' } } },
      schemas: {
        pet: { type: 'object', properties: { name: { type: 'string' }, friend: { $ref: '#/components/schemas/pet' } } },
      },
    },
  }
  const binding = (url: string, more: object = {}): ToolBinding =>
    ({ via: 'openapi', url, document, operationId: null, header: null, key: 's3cret', ...more }) as ToolBinding

  it('puts each parameter in its place, and the key where no parameter can replace it', async () => {
    const { url, heard, close } = await aServer((_, answer) => json(answer, { ok: true }))
    try {
      const given = {
        id: 'a/b',
        tag: ['x', 'y'],
        'X-Trace': 'a\r\nEvil: b',
        Authorization: 'mine',
        name: 'Rex',
        other: 1,
      }
      const { outputs } = await called(binding(`${url}/api/`), given)
      expect(outputs).to.deep.equal({ text: '{"ok":true}', json: [{ ok: true }] })
      const [asked] = heard
      expect(asked).to.deep.include({ method: 'POST', url: '/api/pets/a%2Fb?tag=x&tag=y', body: '{"name":"Rex"}' })
      expect(asked?.headers).to.deep.include({ authorization: 'Bearer s3cret', 'x-trace': 'aEvil: b' })
      expect(asked?.headers.evil).to.equal(undefined)
    } finally {
      await close()
    }
  })

  it('sends the key in the header that the binding names', async () => {
    const { url, heard, close } = await aServer((_, answer) => json(answer, {}))
    try {
      await called(binding(url, { header: 'X-Api-Key' }), { id: '1' })
      expect(heard[0]?.headers).to.deep.include({ 'x-api-key': 's3cret' })
    } finally {
      await close()
    }
  })

  for (const id of ['..', '.']) {
    it(`lets no parameter climb to another operation: ${id}`, async () => {
      // A model that is talked into it would reach what the key may do but the operation may not.
      const { url, heard, close } = await aServer((_, answer) => json(answer, {}))
      try {
        expect((await called(binding(url), { id })).why).to.equal('id must not be a path')
        expect(heard).to.have.length(0)
      } finally {
        await close()
      }
    })
  }

  it('needs what is required, an operation of that name, and a place that apps may reach', async () => {
    expect((await called(binding('http://127.0.0.1:1'))).why).to.equal('id is missing')
    expect((await called(binding('http://127.0.0.1:1', { operationId: 'x' }))).why).to.include('no operation x')
    expect((await called(binding('http://127.0.0.1:1'), { id: '1' }, closed)).why).to.include('not open to apps')
  })

  it('describes itself to an agent without references, however they go round', async () => {
    const model = aSpyModel(() => ['ok'])
    const tools = [{ tool_name: 't', provider_name: 'p', enabled: true }]
    const modelConfig = { pre_prompt: 'x', agent_mode: { enabled: true, tools } }
    await run(aJob('agent-chat', { modelConfig }, { query: 'q' }), {
      model,
      ...web({ tool: () => binding('https://x.test') }),
    })
    const offer = model.asked[0]?.tools?.[0]
    expect(offer).to.deep.include({ name: 't', description: 'Changes a pet' })
    expect(Object.keys((offer?.parameters.properties ?? {}) as object)).to.deep.equal([
      'id',
      'tag',
      'X-Trace',
      'Authorization',
      'name',
      'friend',
    ])
    expect(JSON.stringify(offer)).to.not.include('$ref')
  })

  for (const [what, play] of [
    ['answers 500', (_, answer) => json(answer, { trace: 'at db.ts' }, 500)],
    ['hangs up', (_, answer) => answer.destroy()],
    [
      'breaks off',
      (_, answer) => answer.writeHead(200, { 'content-length': '100' }).write('half', () => answer.destroy()),
    ],
  ] as [string, Play][]) {
    it(`fails once, without the key, when the server ${what}`, async () => {
      const { url, close } = await aServer(play)
      try {
        const ending = await called(binding(url), { id: '1' })
        expect(ending.kind).to.equal('failed')
        expect(JSON.stringify(ending)).to.not.include('s3cret')
      } finally {
        await close()
      }
    })
  }
})

/** An MCP server; `serve` answers what it may, everything else is answered as usual. */
function mcp(serve: (method: string, message: JsonObject, answer: ServerResponse) => boolean = () => false): Play {
  return ({ method, body, headers }, answer) => {
    if (method === 'DELETE') return void answer.writeHead(200).end()
    const message: Json = JSON.parse(body || 'null')
    if (!isObject(message)) return void answer.writeHead(405).end()
    const name = String(message.method)
    if (serve(name, message, answer)) return
    const reply = (result: JsonObject) => json(answer, { jsonrpc: '2.0', id: message.id ?? null, result })
    if (name === 'initialize') {
      answer.setHeader('mcp-session-id', 'session-1')
      reply({ protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'x', version: '1' } })
    } else if (headers['mcp-session-id'] !== 'session-1') json(answer, {}, 400)
    else if (name === 'notifications/initialized') answer.writeHead(202).end()
    else if (name === 'tools/list')
      reply({
        tools: [
          { name: 't', description: 'T', inputSchema: { type: 'object', properties: { a: { type: 'number' } } } },
        ],
      })
    else reply({ content: [{ type: 'text', text: `got ${JSON.stringify((message.params as JsonObject).arguments)}` }] })
  }
}

const event = (answer: ServerResponse, value: Json, name = 'message') =>
  answer.write(`event: ${name}\ndata: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`)

describe('MCP tool', () => {
  const binding = (url: string): ToolBinding => ({ via: 'mcp', url, tool: null, key: 's3cret' })

  it('greets, calls within the session, and ends it', async () => {
    const { url, heard, close } = await aServer(mcp())
    try {
      const { outputs } = await called(binding(url), { a: 1 })
      expect(outputs.text).to.equal('got {"a":1}')
      const said = heard.map(({ method, body }) => (body === '' ? method : (JSON.parse(body) as JsonObject).method))
      expect(said).to.deep.equal(['initialize', 'notifications/initialized', 'tools/call', 'DELETE'])
      expect(heard.every(({ headers }) => headers.authorization === 'Bearer s3cret')).to.equal(true)
      expect(heard[2]?.headers).to.deep.include({ 'mcp-protocol-version': '2025-06-18' })
    } finally {
      await close()
    }
  })

  it('reads an answer out of a stream that stays open', async () => {
    const { url, close } = await aServer(
      mcp((method, { id = null }, answer) => {
        if (method !== 'tools/call') return false
        answer.writeHead(200, { 'content-type': 'text/event-stream' })
        event(answer, { jsonrpc: '2.0', method: 'notifications/progress', params: {} })
        event(answer, {
          jsonrpc: '2.0',
          id,
          result: { content: [{ type: 'text', text: 'streamed' }], structuredContent: { n: 1 } },
        })
        return true
      }),
    )
    try {
      expect((await called(binding(url))).outputs).to.deep.equal({ text: 'streamed', json: [{ n: 1 }] })
    } finally {
      await close()
    }
  })

  it('speaks to servers of the older transport, and sends the key to no other origin', async () => {
    let stream: ServerResponse | null = null
    let endpoint = '/messages'
    const { url, close } = await aServer(({ method, url: path, body }, answer) => {
      if (path === '/sse' && method === 'POST') return void answer.writeHead(405).end()
      if (method === 'GET') {
        stream = answer.writeHead(200, { 'content-type': 'text/event-stream' })
        return void event(stream, endpoint, 'endpoint')
      }
      answer.writeHead(202).end()
      const { id = null, method: name } = JSON.parse(body) as JsonObject
      if (stream !== null && name === 'initialize') event(stream, { jsonrpc: '2.0', id, result: {} })
      if (stream !== null && name === 'tools/call')
        event(stream, { jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'old' }] } })
    })
    const other = await aServer((_, answer) => json(answer, {}))
    try {
      expect((await called(binding(`${url}/sse`))).outputs.text).to.equal('old')
      endpoint = `${other.url}/messages`
      expect((await called(binding(`${url}/sse`))).why).to.equal('the MCP server names another server for messages')
      expect(other.heard).to.have.length(0)
    } finally {
      await close()
      await other.close()
    }
  })

  for (const [what, play, why] of [
    [
      'refuses',
      mcp(
        (m, { id = null }, a) =>
          m === 'tools/call' && Boolean(json(a, { jsonrpc: '2.0', id, error: { code: -1, message: 'no such' } })),
      ),
      'the MCP server refused: no such',
    ],
    [
      'says that its tool failed',
      mcp(
        (m, { id = null }, a) =>
          m === 'tools/call' &&
          Boolean(
            json(a, { jsonrpc: '2.0', id, result: { isError: true, content: [{ type: 'text', text: 'bad a' }] } }),
          ),
      ),
      'bad a',
    ],
    [
      'answers 500',
      mcp((m, _, a) => m === 'tools/call' && Boolean(json(a, {}, 500))),
      'the MCP server answered with status 500',
    ],
    [
      'sends garbage',
      mcp((m, _, a) => m === 'tools/call' && Boolean(a.writeHead(200).end('}{'))),
      'the MCP server did not answer',
    ],
    [
      'ends its stream early',
      mcp(
        (m, _, a) =>
          m === 'tools/call' && Boolean(a.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: {"id"')),
      ),
      'the MCP server did not answer',
    ],
    ['hangs up', mcp((m, _, a) => m === 'tools/call' && Boolean(a.destroy())), 'the MCP server could not be reached'],
  ] as [string, Play, string][]) {
    it(`fails once and clearly when the server ${what}`, async () => {
      const { url, close } = await aServer(play)
      try {
        const ending = await called(binding(url))
        expect(ending.why).to.equal(why)
        expect(JSON.stringify(ending)).to.not.include('s3cret')
      } finally {
        await close()
      }
    })
  }

  it('gives up on a server that never answers', async () => {
    const clock = aTimer()
    const { url, close } = await aServer(() => {
      clock.fire(60_000)
    })
    try {
      expect((await called(binding(url), {}, open, { timer: clock.timer })).why).to.equal(
        'the MCP server took too long',
      )
    } finally {
      await close()
    }
  })

  it('may be reached only where apps may', async () => {
    expect((await called(binding('http://127.0.0.1:1'), {}, closed)).why).to.include('not open to apps')
  })

  it('is offered to an agent whose strategy names its server, as JSON or as an address', async () => {
    const { url, heard, close } = await aServer(mcp())
    try {
      for (const settings of [
        { mcp_server: { type: 'constant', value: url } },
        {
          mcp_servers_config: {
            type: 'constant',
            value: JSON.stringify({ mine: { url, headers: { 'X-Team': 'a', Host: 'evil' } } }),
          },
        },
      ]) {
        const model = aSpyModel(() => ['ok'])
        const agent = aNode('agent', 'agent', {
          agent_strategy_name: 'mcp_agent',
          agent_parameters: { model: { value: { model: 'm' } }, query: { value: 'q' }, ...settings },
        })
        const workflow = aWorkflow([aStart(), agent, anEnd('end', 'agent.text')], edges('start>agent', 'agent>end'))
        await run(aJob('workflow', { workflow }), { model, ...web({}) })
        expect(model.asked[0]?.tools?.map(({ name }) => name)).to.deep.equal(['t'])
      }
      expect(heard.at(-1)?.headers).to.deep.include({ 'x-team': 'a', host: new URL(url).host })
    } finally {
      await close()
    }
  })
})

describe('app as a tool', () => {
  const apps = (definition: AppDefinition, workspaceId = 'workspace') => ({
    find: async (id: string) => ({ ...anApp('workflow'), id, workspaceId }),
    definition: async () => definition,
  })
  const variables = [{ variable: 'v', label: 'V', type: 'text-input', required: true }]
  const inner = aDefinition({
    workflow: aWorkflow([aStart(...variables), anEnd('end', 'start.v')], edges('start>end')),
  })
  const binding: ToolBinding = { via: 'app', appId: 'inner', key: null }

  it('runs inline and gives its outputs; its form is checked', async () => {
    expect((await called(binding, { v: 'x' }, open, { apps: apps(inner) })).outputs.json).to.deep.equal([{ v: 'x' }])
    expect((await called(binding, {}, open, { apps: apps(inner) })).why).to.equal('v is required in input form')
  })

  it('is found in no other workspace', async () => {
    expect((await called(binding, { v: 'x' }, open, { apps: apps(inner, 'foreign') })).why).to.equal(
      'the bound app is not there',
    )
  })

  it('cannot run itself for ever', async () => {
    const itself = aDefinition({ workflow: toolNode() })
    const { ending, steps } = await run(aJob('workflow', { workflow: toolNode() }), {
      ...web({ tool: () => binding }),
      apps: apps(itself),
    })
    expect(ending.kind === 'failed' && ending.failure.message).to.equal('apps run each other more than 5 deep')
    expect(steps.at(-1)?.kind).to.equal('failed')
  })
})

describe('knowledge', () => {
  const binding = (url: string): DatasetBinding => ({ via: 'retriever', url, knowledgeId: 'k1', key: 's3cret' })
  const records = [
    { content: 'low', score: 0.2, title: 'L', metadata: { url: 'https://l.test' } },
    { content: 'high', score: 0.9, title: 'H', metadata: null },
    { content: 'mid', score: 0.5, title: 'M' },
  ]
  const searching = (more: JsonObject = {}) =>
    inARow(
      aNode('found', 'knowledge-retrieval', {
        dataset_ids: ['d1'],
        query_variable_selector: ['sys', 'query'],
        retrieval_mode: 'multiple',
        multiple_retrieval_config: { top_k: 2, score_threshold: 0.3 },
        ...more,
      }),
      anLlm('llm', 'Use {{#context#}}', { context: { enabled: true, variable_selector: ['found', 'result'] } }),
      anAnswer('answer', '{{#llm.text#}}'),
    )

  it('asks by the external protocol, puts the best in the prompt, and names them in the metadata', async () => {
    const { url, heard, close } = await aServer((_, answer) => json(answer, { records }))
    try {
      const model = aSpyModel(() => ['ok'])
      const filter = {
        metadata_filtering_mode: 'manual',
        metadata_filtering_conditions: {
          logical_operator: 'or',
          conditions: [{ name: 'year', comparison_operator: 'is', value: '{{#sys.query#}}' }],
        },
      }
      const { ending } = await run(aJob('advanced-chat', { workflow: searching(filter) }, { query: 'what?' }), {
        model,
        ...web({ dataset: () => binding(`${url}/kb`) }),
      })
      expect(heard[0]).to.deep.include({ method: 'POST', url: '/kb/retrieval' })
      expect(heard[0]?.headers.authorization).to.equal('Bearer s3cret')
      expect(JSON.parse(heard[0]?.body ?? '')).to.deep.equal({
        knowledge_id: 'k1',
        query: 'what?',
        retrieval_setting: { top_k: 2, score_threshold: 0.3 },
        metadata_condition: {
          logical_operator: 'or',
          conditions: [{ name: ['year'], comparison_operator: 'is', value: 'what?' }],
        },
      })
      expect(model.asked[0]?.messages[0]?.text).to.equal('Use high\nmid')
      const resources = ending.kind === 'succeeded' ? ending.retrieverResources : []
      expect(resources).to.have.length(2)
      expect(resources[0]).to.deep.include({
        position: 1,
        dataset_id: 'd1',
        document_name: 'H',
        score: 0.9,
        content: 'high',
      })
    } finally {
      await close()
    }
  })

  it('is what a chat app answers from', async () => {
    const { url, close } = await aServer((_, answer) => json(answer, { records }))
    try {
      const model = aSpyModel(() => ['ok'])
      const dataset_configs = { top_k: 1, datasets: { datasets: [{ dataset: { enabled: true, id: 'd1' } }] } }
      const modelConfig = { pre_prompt: 'Be kind.', dataset_configs }
      const { ending } = await run(aJob('chat', { modelConfig }, { query: 'q' }), {
        model,
        ...web({ dataset: () => binding(url) }),
      })
      expect(model.asked[0]?.messages[0]?.text).to.match(/<context>\nhigh\n<\/context>\n\nBe kind\.$/)
      expect(ending.kind === 'succeeded' && ending.retrieverResources).to.have.length(1)
      await run(aJob('chat', { modelConfig: { ...modelConfig, pre_prompt: 'From {{#context#}}.' } }, { query: 'q' }), {
        model,
        ...web({ dataset: () => binding(url) }),
      })
      expect(model.asked[1]?.messages[0]?.text).to.equal('From high.')
    } finally {
      await close()
    }
  })

  it('is named before the run when it is not bound', async () => {
    const verdict = await aRunner().preflight(anApp('advanced-chat'), aDefinition({ workflow: searching() }))
    expect(JSON.stringify(verdict)).to.include('latchkey binding set dataset d1 --url URL')
  })

  for (const [what, play, why] of [
    ['refuses the key', (_, a) => json(a, { error_code: 1002 }, 403), 'the knowledge service refused the key'],
    ['answers 500', (_, a) => json(a, { at: 'db.ts' }, 500), 'the knowledge service answered with status 500'],
    ['sends garbage', (_, a) => a.writeHead(200).end('<html>'), 'the knowledge service did not answer with records'],
    ['hangs up', (_, a) => a.destroy(), 'the knowledge service: the server could not be reached'],
  ] as [string, Play, string][]) {
    it(`fails once and clearly when the service ${what}`, async () => {
      const { url, close } = await aServer(play)
      try {
        const { ending } = await run(
          aJob('advanced-chat', { workflow: searching() }, { query: 'q' }),
          web({ dataset: () => binding(url) }),
        )
        expect(ending.kind === 'failed' && ending.failure.message).to.equal(why)
      } finally {
        await close()
      }
    })
  }
})

describe('function calls over the wire', () => {
  const chunk = (delta: Json, finish: string | null = null) =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
  const piece = (index: number, more: object, fn: object) =>
    ({ tool_calls: [{ index, ...more, function: fn }] }) as unknown as Json
  const stream = (answer: ServerResponse, ...chunks: readonly string[]) =>
    answer.writeHead(200, { 'content-type': 'text/event-stream' }).end(`${chunks.join('')}data: [DONE]\n\n`)
  const extracting = inARow(
    aNode('extract', 'parameter-extractor', {
      model: { name: 'm' },
      query: ['start', 'v'],
      reasoning_mode: 'function_call',
      parameters: [
        { name: 'age', type: 'number', required: true, description: 'in years' },
        { name: 'tags', type: 'array[string]' },
      ],
    }),
    anEnd('end', 'extract.age', 'extract.__is_success', 'extract.__reason'),
  )
  async function extracted(play: Play) {
    const { url, heard, close } = await aServer(play)
    try {
      const model = openModel({ baseUrl: url, apiKey: 's3cret', name: null }, aTimer().timer)
      const { ending } = await run(aJob('workflow', { workflow: extracting }, { inputs: { v: 'I am 7' } }), { model })
      return { outputs: ending.outputs, heard }
    } finally {
      await close()
    }
  }

  it('offers the parameters as a function that has to be called, and puts its arguments together', async () => {
    const { outputs, heard } = await extracted((_, answer) =>
      stream(
        answer,
        chunk(piece(0, { id: 'x', type: 'function' }, { name: 'extract_parameters', arguments: '' })),
        chunk(piece(0, {}, { arguments: '{"age"' })),
        chunk(piece(0, {}, { arguments: ': 7}' })),
        chunk({}, 'tool_calls'),
      ),
    )
    expect(outputs).to.deep.equal({ age: 7, __is_success: 1, __reason: null })
    const asked = JSON.parse(heard[0]?.body ?? '') as JsonObject
    expect(asked.tool_choice).to.deep.equal({ type: 'function', function: { name: 'extract_parameters' } })
    expect(JSON.stringify(asked.tools)).to.include(
      '"age":{"type":"number","description":"in years"},"tags":{"type":"array","items":{"type":"string"}}',
    )
  })

  it('asks in words where the endpoint takes no functions', async () => {
    const { outputs, heard } = await extracted((_, answer, nth) =>
      nth === 1
        ? json(answer, { error: { message: 'm does not support tools' } }, 400)
        : stream(answer, chunk({ content: '{"age": 8}' }), chunk({}, 'stop')),
    )
    expect(outputs).to.deep.equal({ age: 8, __is_success: 1, __reason: null })
    expect(heard).to.have.length(2)
  })

  for (const [what, play] of [
    [
      'calls without end',
      (_, answer) =>
        stream(answer, chunk(piece(0, { id: 'x' }, { name: 'extract_parameters', arguments: 'x'.repeat(500_000) }))),
    ],
    [
      'breaks off',
      (_, answer) =>
        answer.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"choi', () => answer.destroy()),
    ],
    [
      'sends half of the arguments',
      (_, answer) => stream(answer, chunk(piece(0, { id: 'x' }, { name: 'extract_parameters', arguments: '{"ag' }))),
    ],
  ] as [string, Play][]) {
    it(`goes on with defaults when the model ${what}`, async () => {
      const { outputs } = await extracted(play)
      expect(outputs).to.deep.include({ age: 0, __is_success: 0 })
      expect(outputs.__reason).to.be.a('string').that.does.not.include('s3cret')
    })
  }

  it('carries an agent over the wire, and tells calls apart that a server counts as one', async () => {
    const { url, heard, close } = await aServer((_, answer, nth) =>
      nth === 1
        ? stream(
            answer,
            chunk(piece(0, { id: 'a' }, { name: 'current_time', arguments: '{}' })),
            chunk(piece(0, { id: 'b' }, { name: 'weekday', arguments: '{"year":2024,"month":1,"day":1}' })),
          )
        : stream(answer, chunk({ content: 'Monday' })),
    )
    try {
      const tools = ['current_time', 'weekday'].map((tool_name) => ({
        provider_name: 'time',
        tool_name,
        enabled: true,
      }))
      const model = openModel({ baseUrl: url, apiKey: null, name: 'm' }, aTimer().timer)
      const { ending } = await outcomeOf(
        aRunner({ model }).run(
          aJob('agent-chat', { modelConfig: { agent_mode: { enabled: true, tools } } }, { query: 'q' }),
          new AbortController().signal,
        ),
      )
      expect(ending).to.deep.include({ kind: 'succeeded', answer: 'Monday' })
      const { messages } = JSON.parse(heard[1]?.body ?? '') as { messages: JsonObject[] }
      expect(messages.slice(-3).map(({ role, tool_call_id, content }) => [role, tool_call_id, content])).to.deep.equal([
        ['assistant', undefined, null],
        ['tool', 'a', '2023-11-14 22:13:20'],
        ['tool', 'b', 'January 1, 2024 is Monday.'],
      ])
    } finally {
      await close()
    }
  })
})
