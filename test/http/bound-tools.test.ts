import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import type { ModelClient, ModelRequest } from '#adapters/runner-native/models/model-client.ts'
import { formFile } from './app-files.ts'
import { API, aPlace, mintOwn, type Place } from './place.ts'

const BINDINGS = '/console/api/workspaces/current/bindings'
const KEY = 'sk-of-the-tool-server'
const LOOPBACK = { allowCidrs: ['127.0.0.0/8'], allowHosts: [] }

/** Calls the tool that it is offered, with `given`, and says what it was told. */
function callingModel(given: object): ModelClient & { readonly asked: readonly ModelRequest[] } {
  const asked: ModelRequest[] = []
  return {
    asked,
    canRun: () => true,
    async *stream(request) {
      asked.push(request)
      const told = request.messages.findLast(({ role }) => role === 'tool')?.text
      const name = request.tools?.[0]?.name ?? 'nothing'
      if (told !== undefined) yield { kind: 'text', delta: `told ${told}` }
      else yield { kind: 'call', call: { id: 'c-1', name, arguments: JSON.stringify(given) } }
      yield { kind: 'finish', reason: 'stop' }
    },
  }
}

/** A workflow whose agent may use the tool `t` of `p`, and gives what it says. */
const agentFile = JSON.stringify({
  version: '0.6.0',
  kind: 'app',
  app: { name: 'Agent', description: '', mode: 'workflow' },
  workflow: {
    graph: {
      nodes: [
        { id: 'start', data: { type: 'start', title: 'Start', variables: [] } },
        {
          id: 'agent',
          data: {
            type: 'agent',
            title: 'Agent',
            agent_strategy_name: 'function_calling',
            agent_parameters: {
              model: { type: 'constant', value: { provider: 'openai', model: 'gpt' } },
              query: { type: 'constant', value: 'Use it.' },
              tools: { type: 'constant', value: [{ provider_name: 'p', tool_name: 't', enabled: true }] },
            },
          },
        },
        {
          id: 'end',
          data: { type: 'end', title: 'End', outputs: [{ variable: 'said', value_selector: ['agent', 'text'] }] },
        },
      ],
      edges: [
        { id: 'e1', source: 'start', target: 'agent', sourceHandle: 'source', targetHandle: 'target' },
        { id: 'e2', source: 'agent', target: 'end', sourceHandle: 'source', targetHandle: 'target' },
      ],
    },
  },
})

/** An MCP server on loopback with one tool; `heard` is what it was asked, by whom. */
async function anMcpServer() {
  const heard: { readonly method: string; readonly authorization: string | undefined }[] = []
  const server = createServer(async (request, response) => {
    const body = await text(request)
    if (body === '') return void response.writeHead(request.method === 'DELETE' ? 200 : 405).end()
    const { id, method, params } = JSON.parse(body)
    heard.push({ method, authorization: request.headers.authorization })
    if (id === undefined) return void response.writeHead(202).end()
    const results: Record<string, object> = {
      initialize: { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'x', version: '1' } },
      'tools/list': { tools: [{ name: 't', description: 'Adds.', inputSchema: { type: 'object', properties: {} } }] },
      'tools/call': { content: [{ type: 'text', text: `got ${JSON.stringify(params?.arguments)}` }] },
    }
    response.writeHead(200, { 'Content-Type': 'application/json', 'Mcp-Session-Id': 's-1' })
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result: results[method] }))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo // a TCP listener's address is never a path
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    heard,
    async close() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

describe('tools that a workspace bound, over HTTP', () => {
  let place: Place
  afterEach(() => place.close())

  async function bind(target: object): Promise<void> {
    const { headers } = await place.signIn()
    const json = { kind: 'tool', provider: 'p', name: 't', ...target }
    const bound = await place.send('PUT', BINDINGS, { headers, json })
    expect(bound.status, bound.text).to.equal(200)
  }

  async function run() {
    const appId = await place.addApp(agentFile)
    const json = { inputs: {}, response_mode: 'blocking' }
    const reply = await place.post(`${API}/apps/${appId}/run`, { token: await mintOwn(place), json })
    expect(reply.status, reply.text).to.equal(200)
    return reply.json.data
  }

  it('an agent uses another app of the workspace, by its form, and goes on with its outputs', async () => {
    const model = callingModel({ name: 'Ada', size: 3 })
    place = await aPlace({ model })
    await bind({ via: 'app', app_id: await place.addApp(formFile('shows')) })
    const { status, outputs } = await run()
    expect([status, outputs]).to.deep.equal(['succeeded', { said: 'told {"name":"Ada","size":3}' }])
    const [offer] = model.asked[0]?.tools ?? []
    expect(offer?.parameters).to.deep.include({ required: ['name'] })
  })

  it('an agent uses an MCP server, which alone is given its key', async () => {
    const server = await anMcpServer()
    try {
      const model = callingModel({ a: 1 })
      place = await aPlace({ model, egress: LOOPBACK })
      await bind({ via: 'mcp', url: server.url, key: KEY })
      const data = await run()
      expect([data.status, data.outputs]).to.deep.equal(['succeeded', { said: 'told got {"a":1}' }])
      expect(server.heard.map(({ method }) => method)).to.include.members(['initialize', 'tools/list', 'tools/call'])
      for (const { authorization } of server.heard) expect(authorization).to.equal(`Bearer ${KEY}`)
      expect(JSON.stringify([data, model.asked])).to.not.contain(KEY)
    } finally {
      await server.close()
    }
  })

  // Whoever may bind tools would otherwise reach what stands beside this server.
  it('security: an MCP server inside is not asked where the operator opened nothing', async () => {
    const server = await anMcpServer()
    try {
      place = await aPlace({ model: callingModel({}) })
      await bind({ via: 'mcp', url: server.url, key: KEY })
      // Its agent hears why, and may go on without.
      expect((await run()).outputs.said).to.contain('not open to apps')
      expect(server.heard).to.deep.equal([])
    } finally {
      await server.close()
    }
  })
})
