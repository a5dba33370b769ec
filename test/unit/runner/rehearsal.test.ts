import { createServer } from 'node:http'
import { expect } from 'chai'
import { createSandbox } from '#adapters/runner-native/code/sandbox.ts'
import { createDslFiles } from '#adapters/runner-native/dsl/dsl-files.ts'
import { minedShape } from '#adapters/runner-native/rehearsal/mined-shape.ts'
import { makeRehearse, type Rehearsal } from '#adapters/runner-native/rehearsal/rehearse.ts'
import type { Recording } from '#adapters/runner-native/rehearsal/stub-egress.ts'
import type { Timer } from '#application/ports/clock.ts'
import type { Json, JsonObject } from '#domain/app.ts'
import { onLoopback } from '../../support/loopback.ts'
import { aNode, anAnswer, anEnd, anLlm, aStart, aWorkflow, edges, inARow } from './workflow.ts'

const timer: Timer = (delayMs, fire) => {
  const handle = setTimeout(fire, delayMs)
  return () => clearTimeout(handle)
}

const python = (id: string, code: string, from: readonly string[], outputs: JsonObject) =>
  aNode(id, 'code', { code, code_language: 'python3', variables: [{ variable: 'a', value_selector: from }], outputs })
const OUT = { out: { type: 'string' } }

describe('playing an app without its surroundings', () => {
  const sandbox = createSandbox({ timer })
  after(() => sandbox.close())

  const play = (source: string, recording: Recording = []): Promise<Rehearsal> =>
    makeRehearse({ dsl: createDslFiles({ timer }), code: sandbox, templates: sandbox, recording })(source)
  const file = (mode: string, parts: JsonObject) =>
    JSON.stringify({ version: '0.6.0', app: { name: 'A', mode }, ...parts })
  const playGraph = (
    nodes: readonly JsonObject[],
    wires: readonly string[],
    how: { mode?: string; recording?: Recording; more?: JsonObject } = {},
  ) => {
    const workflow = aWorkflow(nodes, edges(...wires), how.more)
    return play(file(how.mode ?? 'workflow', { workflow }), how.recording)
  }

  it('says what a file that cannot be read has wrong, and plays nothing', async () => {
    for (const [source, reason] of [
      ['', 'mapping'],
      ['a: [', 'line 1'],
      [file('dream', {}), '`app.mode`'],
      ['\0\0\0', 'mapping'],
    ] as const) {
      const { imported, status, error } = await play(source)
      expect({ imported, status }, source).to.deep.equal({ imported: false, status: 'skipped' })
      expect(error).to.include(reason)
    }
  })

  for (const mode of ['chat', 'completion', 'agent-chat']) {
    it(`plays a ${mode} to its answer`, async () => {
      const played = await play(file(mode, { model_config: { model: { name: 'gpt' }, pre_prompt: 'Help.' } }))
      expect(played).to.deep.include({ imported: true, mode, preflight: [], status: 'succeeded', error: null })
      expect(played.outputs?.answer).to.be.a('string').that.is.not.empty
    })
  }

  it('makes up inputs that every control of a form takes', async () => {
    const controls = [
      { type: 'text-input', variable: 'short', required: true, max_length: 5 },
      { type: 'paragraph', variable: 'page_url', required: true },
      { type: 'select', variable: 'choice', required: true, options: ['x', 'y'] },
      { type: 'number', variable: 'n', required: true },
      { type: 'checkbox', variable: 'b', required: true },
      { type: 'json_object', variable: 'o', required: true },
      { type: 'file', variable: 'f', required: true, allowed_file_types: ['image'] },
      { type: 'file-list', variable: 'fs', required: true, allowed_file_types: ['document'] },
      { type: 'text-input', variable: 'given', required: true, default: 'mine' },
    ]
    const start = aStart(...controls)
    const played = await playGraph(
      [start, anEnd('end', ...controls.map(({ variable }) => `start.${variable}`))],
      ['start>end'],
    )
    expect(played.status, played.error ?? '').to.equal('succeeded')
    const { outputs } = played
    expect(outputs).to.deep.include({ choice: 'x', n: 3, b: true, o: {}, given: 'mine' })
    expect(outputs?.short).to.have.length(5)
    expect(outputs?.page_url).to.match(/^https:/)
    expect(outputs?.fs).to.have.length(1)
  })

  it('makes up what a file leaves empty because it is secret', async () => {
    const variables = ['API_URL', 'TOKEN', 'kept'].map((name) => ({
      name,
      value: name === 'kept' ? 'kept' : '',
      value_type: 'secret',
    }))
    const end = anEnd('end', 'env.API_URL', 'env.TOKEN', 'env.kept')
    const played = await playGraph([aStart(), end], ['start>end'], { more: { environment_variables: variables } })
    expect(played.outputs).to.deep.equal({ API_URL: 'https://example.com/a.txt', TOKEN: 'made-up', kept: 'kept' })
  })

  it('does not wait between retries, and tells the last failure', async () => {
    const retry_config = { retry_enabled: true, max_retries: 10, retry_interval: 60_000 }
    const code = { code: 'function main() { throw new Error("no") }', code_language: 'javascript', outputs: {} }
    const nodes = [aStart(), aNode('c', 'code', { ...code, variables: [], retry_config }), anEnd('end')]
    const played = await playGraph(nodes, ['start>c', 'c>end'])
    expect([played.status, played.error]).to.deep.equal(['failed', 'Error: no'])
  })

  it('sends a document with a message to an app that reads documents', async () => {
    const reader = aNode('doc', 'document-extractor', { variable_selector: ['sys', 'files'], is_array_file: true })
    const features = { file_upload: { enabled: true, allowed_file_types: ['image', 'document'] } }
    const nodes = [aStart(), reader, anAnswer('answer', '{{#doc.text#}}')]
    const wires = ['start>doc', 'doc>answer']
    const played = await playGraph(nodes, wires, { mode: 'advanced-chat', more: { features } })
    expect(played.outputs?.answer, played.error ?? '').to.include('weather in Lisbon')
  })

  it('answers for the people that an app asks, one after the other', async () => {
    const asking = (id: string) =>
      aNode(id, 'human-input', {
        form_content: 'Well?',
        inputs: [{ type: 'paragraph', output_variable_name: 'words' }],
        user_actions: [{ id: 'yes', title: 'Yes' }],
      })
    const nodes = [aStart(), asking('a'), asking('b'), asking('c'), anEnd('end', 'a.words', 'c.__action_id')]
    const played = await playGraph(nodes, ['start>a', 'start>b', 'a:yes>c', 'c:yes>end', 'b:yes>end'])
    expect(played.outputs, played.error ?? '').to.deep.equal({
      words: 'A few words about the weather in Lisbon.',
      __action_id: 'yes',
    })
  })

  it('names what has to be bound or changed, and then plays nothing', async () => {
    const played = await playGraph([aStart(), aNode('x', 'knowledge-index'), anEnd('end')], ['start>x', 'x>end'])
    expect(played).to.deep.include({ imported: true, status: 'skipped', outputs: null, error: null })
    expect(played.preflight.map(({ node }) => node)).to.deep.equal(['x'])
  })

  it('answers in the form that a schema, an extractor and a classifier ask for', async () => {
    const schema = {
      type: 'object',
      properties: {
        kind: { type: 'string', enum: ['b', 'a'] },
        rows: { type: 'array', items: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] } },
      },
      required: ['kind', 'rows'],
      additionalProperties: false,
    }
    const parameters = [
      { name: 'city', type: 'string', required: true },
      { name: 'days', type: 'number', required: true },
      { name: 'tags', type: 'array[string]', required: true },
    ]
    const played = await playGraph(
      [
        aStart(),
        anLlm('llm', 'Say it.', { structured_output_enabled: true, structured_output: { schema } }),
        aNode('ex', 'parameter-extractor', { model: { name: 'm' }, query: ['llm', 'text'], parameters }),
        aNode('cl', 'question-classifier', {
          model: { name: 'm' },
          query_variable_selector: ['llm', 'text'],
          classes: [
            { id: '1', name: 'Weather' },
            { id: '2', name: 'Other' },
          ],
        }),
        anEnd('end', 'llm.structured_output', 'ex.days', 'ex.tags', 'ex.__is_success', 'cl.class_id'),
      ],
      ['start>llm', 'llm>ex', 'ex>cl', 'cl:1>end'],
    )
    expect(played.status, played.error ?? '').to.equal('succeeded')
    expect(played.outputs).to.deep.include({
      structured_output: { kind: 'b', rows: [{ n: 1 }] },
      days: 1,
      __is_success: 1,
      class_id: '1',
    })
  })

  for (const strategy of ['function_calling', 'ReAct']) {
    it(`lets an agent (${strategy}) use a tool of ours and one of a stubbed MCP server before it answers`, async () => {
      const set = (value: Json) => ({ type: 'constant', value })
      const agent = (id: string, more: JsonObject) =>
        aNode(id, 'agent', {
          agent_strategy_name: strategy,
          agent_parameters: {
            model: set({ provider: 'openai', model: 'gpt', completion_params: {} }),
            query: set('What time is it?'),
            instruction: set('Help.'),
            ...more,
          },
        })
      const time = { enabled: true, provider_name: 'time', tool_name: 'current_time', parameters: {}, settings: {} }
      const servers = { mcpServers: { one: { url: 'https://mcp.example/mcp', headers: {} } } }
      const played = await playGraph(
        [
          aStart(),
          agent('own', { tools: set([time]) }),
          agent('mcp', { mcp_servers_config: set(JSON.stringify(servers)) }),
          anEnd('end', 'own.text', 'mcp.text'),
        ],
        ['start>own', 'own>mcp', 'mcp>end'],
      )
      expect(played).to.deep.include({ preflight: [], status: 'succeeded', error: null })
      expect(played.outputs?.text).to.match(/\w/)
    })
  }

  it('finds an answer for code that takes one apart', async function () {
    this.timeout(30_000)
    for (const code of [
      `import json\ndef main(a):\n    d = json.loads(a)\n    return {'out': d['items'][0]['title']}`,
      `import json\ndef main(a):\n    d = json.loads(a)\n    rows = d['rows']\n    return {'out': ','.join(r['name'] for r in rows)}`,
      `import json\ndef main(a):\n    return {'out': [x['y'] for x in json.loads(a)][0]}`,
      `def main(a):\n    return {'out': str(int(a) + 1)}`,
      `import json\ndef main(a):\n    return {'out': json.loads(a)['rows'][0]}`,
      `import json\ndef main(a):\n    d = json.loads(a)\n    return {'out': str(d['price'] * d['count']) + d['name']}`,
      `import json\ndef main(a):\n    d = json.loads(a)\n    if d['code'] != 200: raise Exception('no')\n    return {'out': d['data']['url']}`,
      `import json\ndef main(a):\n    return {'out': ''.join(k for k, v in json.loads(a)['scores'].items())}`,
      `import re\ndef main(a):\n    return {'out': re.search('<answer>(.*?)</answer>', a).group(1)}`,
      `import csv, io\ndef main(a):\n    rows = list(csv.DictReader(io.StringIO(a)))\n    return {'out': rows[0]['city']}`,
      `def main(a):\n    return {'out': a.split(';')[2].split('=')[1]}`,
      `from datetime import datetime\ndef main(a):\n    return {'out': str(datetime.strptime(a, '%d.%m.%Y'))}`,
      "import re\ndef main(a):\n    return {'out': re.search(r'```html(.*?)```', a, re.S).group(1)}",
      `import json\ndef main(a):\n    key = 'sec' + 'ret'\n    return {'out': json.loads(a)[key]}`,
    ]) {
      const nodes = [
        aStart(),
        anLlm('llm', 'Say it.'),
        python('code', code, ['llm', 'text'], OUT),
        anEnd('end', 'code.out'),
      ]
      const played = await playGraph(nodes, ['start>llm', 'llm>code', 'code>end'])
      expect(played.status, `${code}\n${played.error}`).to.equal('succeeded')
    }
  })

  it('gives parts the types that the code declares for them', async function () {
    this.timeout(30_000)
    const code =
      'const main = ({ a }) => { const d = JSON.parse(a); return { names: d.rows.map((r) => r.name), n: d.total } }'
    const outputs = { names: { type: 'array[string]' }, n: { type: 'number' } }
    const variables = [{ variable: 'a', value_selector: ['llm', 'text'] }]
    const js = aNode('js', 'code', { code, code_language: 'javascript', variables, outputs })
    const nodes = [aStart(), anLlm('llm', 'Say it.'), js, anEnd('end', 'js.names', 'js.n')]
    const played = await playGraph(nodes, ['start>llm', 'llm>js', 'js>end'])
    expect(played.outputs, played.error ?? '').to.deep.equal({ names: ['a word'], n: 3 })
  })

  it('tells the first failure when no answer helps', async function () {
    this.timeout(30_000)
    const code = python('code', 'def main(a):\n    raise ValueError("never")', ['sys', 'app_id'], OUT)
    const played = await playGraph([aStart(), code, anEnd('end')], ['start>code', 'code>end'])
    expect(played).to.deep.include({ status: 'failed', preflight: [] })
    expect(played.error).to.include('never')
  })

  it('answers requests from the recording, else by itself, and sends none', async () => {
    let asked = 0
    const server = createServer((_request, response) => {
      asked += 1
      response.end()
    })
    const { url, close } = await onLoopback(server)
    const get = (id: string, path: string) =>
      aNode(id, 'http-request', { method: 'get', url: url + path, headers: '', params: '', body: { type: 'none' } })
    const recording = [{ method: 'GET', url: `${url}/known*`, status: 201, headers: { 'X-A': 'b' }, body: { a: [1] } }]
    const nodes = [
      aStart(),
      get('known', '/known/1'),
      get('other', '/other'),
      anEnd('end', 'known.body', 'other.status_code'),
    ]
    const played = await playGraph(nodes, ['start>known', 'known>other', 'other>end'], { recording })
    await close()
    expect(played.outputs, played.error ?? '').to.deep.equal({ body: '{"a":[1]}', status_code: 200 })
    expect(asked).to.equal(0)
  })

  it('gives the same outputs every time', async () => {
    const source = file('advanced-chat', {
      workflow: inARow(anLlm('llm', 'Say.'), anAnswer('answer', '{{#llm.text#}}!')),
    })
    expect(await play(source)).to.deep.equal(await play(source))
  })

  // A file is a stranger's: its code must not be able to stall the reader of its shape (ReDoS).
  for (const language of ['python3', 'javascript']) {
    it(`reads shapes out of ${language} however long and odd it is`, () => {
      for (const piece of ["x['a']", '.a', 'for x in ', 'a=b.', ')[', "'a':x.y", '.map((', 'int(int(', ' ', 'a', '"']) {
        const code = piece.repeat(100_000 / piece.length)
        const started = performance.now()
        minedShape(aWorkflow([aNode('c', 'code', { code, code_language: language })], []), 'w')
        expect(performance.now() - started, piece).to.be.below(3000)
      }
    })
  }
})
