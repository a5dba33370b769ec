import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import type { ModelMessage } from '#adapters/runner-native/models/model-client.ts'
import { onLoopback } from '../support/loopback.ts'
import { PNG, upload } from '../support/uploads.ts'
import { chatFile } from './app-files.ts'
import { API, aPlace, mintOwn, NO_BEARER_LIMIT, type Place } from './place.ts'

const DATA_URL = `data:image/png;base64,${PNG.toString('base64')}`
const NOBODYS = '01900000-0000-7000-8000-000000000000'

/** A workflow: start with `variables`, the node `middle`, and what `middle` gives. */
function fileFlow(name: string, variables: string, middle: string, shows: string, features = '{}'): string {
  return `version: "0.6.0"
kind: app
app: {name: ${JSON.stringify(name)}, description: "", mode: workflow}
workflow:
  features: ${features}
  graph:
    nodes:
    - id: start
      data: {type: start, title: Start, variables: [${variables}]}
    - id: middle
      data: {title: Middle, ${middle}}
    - id: end
      data: {type: end, title: End, outputs: [{variable: out, value_selector: [middle, ${shows}]}]}
    edges:
    - {id: e1, source: start, target: middle, sourceHandle: source, targetHandle: target}
    - {id: e2, source: middle, target: end, sourceHandle: source, targetHandle: target}
`
}

const ONE = '{variable: f, type: file, label: F, required: true}'
const MANY = '{variable: f, type: file-list, label: F, required: true, max_length: 3}'
const LOOKS = `type: llm, model: {provider: openai, name: gpt, mode: chat, completion_params: {}}, prompt_template: [{role: user, text: look}], vision: {enabled: true, configs: {variable_selector: [start, f], detail: low}}`
const READS = 'type: document-extractor, variable_selector: [start, f]'

describe('files of runs', function () {
  // Templates have an interpreter of their own to start.
  this.timeout(30_000)
  let place: Place
  let token: string
  let asked: ModelMessage[]
  before(async () => {
    place = await aPlace({
      settings: { ...NO_BEARER_LIMIT, filesOrigin: 'https://files.example' },
      egress: { allowCidrs: ['127.0.0.0/8'], allowHosts: [] },
      model: {
        canRun: () => true,
        async *stream({ messages }) {
          asked = [...messages]
          yield { kind: 'text', delta: 'seen' }
        },
      },
    })
    token = await mintOwn(place)
  })
  after(() => place.close())
  beforeEach(() => {
    asked = []
  })

  const put = async (appId: string, name: string, bytes: Uint8Array | string, who = token) => {
    const reply = await upload(place.url, appId, who, name, bytes)
    expect(reply.status, reply.text).to.equal(201)
    return String(reply.json.id)
  }
  const run = (appId: string, json: object, who = token) =>
    place.post(`${API}/apps/${appId}/run`, { token: who, json: { response_mode: 'blocking', inputs: {}, ...json } })
  const local = (id: string, type?: string) => ({ transfer_method: 'local_file', upload_file_id: id, type })
  const picturesIn = () => asked.flatMap(({ images = [] }) => images)
  const issue = ({ json }: { json: { details: { loc: unknown; msg: string }[] } }) => json.details[0]

  it('a chat shows the picture that came with a question to its model, inside the request', async () => {
    const appId = await place.addApp(chatFile('Sees'))
    const files = [local(await put(appId, 'cat.png', PNG), 'image')]
    const reply = await run(appId, { query: 'what is it?', files })
    expect(reply.status, reply.text).to.equal(200)
    expect(picturesIn()).to.deep.equal([{ url: DATA_URL, detail: 'high' }])
  })

  it('a model node shows the pictures of a file input, and of a list of them', async () => {
    for (const [variables, wrap] of [
      [ONE, (file: object) => file],
      [MANY, (file: object) => [file, file]],
    ] as const) {
      const appId = await place.addApp(fileFlow('Looks', variables, LOOKS, 'text'))
      const f = wrap(local(await put(appId, 'cat.png', PNG), 'image'))
      const reply = await run(appId, { inputs: { f } })
      expect(reply.json.data.outputs, reply.text).to.deep.equal({ out: 'seen' })
      expect(picturesIn()).to.deep.equal([f].flat().map(() => ({ url: DATA_URL, detail: 'low' })))
    }
  })

  it('the document extractor reads an upload, and each of a list', async () => {
    const one = await place.addApp(fileFlow('Reads', ONE, READS, 'text'))
    const many = await place.addApp(fileFlow('Reads all', MANY, READS, 'text'))
    const alone = await run(one, { inputs: { f: local(await put(one, 'a.md', '# A')) } })
    expect(alone.json.data.outputs, alone.text).to.deep.equal({ out: '# A' })
    const list = [local(await put(many, 'a.md', '# A')), local(await put(many, 'b.html', '<p>B</p>'), 'document')]
    expect((await run(many, { inputs: { f: list } })).json.data.outputs).to.deep.equal({ out: ['# A', 'B'] })
  })

  // N03: an upload is never unpacked on its way in; whoever unpacks it has a worker with little memory for that.
  it('a document that is broken inside fails its node with a word, and no more', async () => {
    const appId = await place.addApp(fileFlow('Reads broken', ONE, READS, 'text'))
    const id = await put(appId, 'bomb.docx', Buffer.concat([Buffer.from('504b0304', 'hex'), Buffer.alloc(100, 7)]))
    const { data } = (await run(appId, { inputs: { f: local(id) } })).json
    expect(data.status).to.equal('failed')
    expect(data.error).to.contain('bomb.docx')
  })

  it('a file variable has the attributes of what was uploaded, and a link that works for a while', async () => {
    const middle =
      'type: template-transform, template: "{{ f.name }} {{ f.extension }} {{ f.mime_type }} {{ f.size }} {{ f.type }} {{ f.url }}", variables: [{variable: f, value_selector: [start, f]}]'
    const appId = await place.addApp(fileFlow('Attributes', ONE, middle, 'output'))
    const reply = await run(appId, { inputs: { f: local(await put(appId, 'Notes.TXT', 'words')) } })
    const [name, extension, type, size, kind, url] = String(reply.json.data.outputs.out).split(' ')
    expect([name, extension, type, size, kind]).to.deep.equal(['Notes.TXT', '.txt', 'text/plain', '5', 'document'])
    expect(url).to.match(/^https:\/\/files\.example\/files\//)
    const link = place.url + String(url).slice('https://files.example'.length)
    expect(await (await fetch(link)).text()).to.equal('words')
    // What is stored of the run must not open the file to whoever reads the database.
    const stored = await place.ports.runs.find(reply.json.workflow_run_id)
    expect(JSON.stringify(stored?.inputs)).to.not.contain('sign=')
    place.clock.advance(300_001)
    expect((await fetch(link)).status).to.equal(404)
    place.clock.advance(-300_001)
  })

  it('sys.files are what came beside the inputs, and list operators work on them', async () => {
    const middle =
      'type: list-operator, variable: [sys, files], filter_by: {enabled: true, conditions: [{key: type, comparison_operator: in, value: [image]}]}, extract_by: {enabled: false}, order_by: {enabled: false}, limit: {enabled: false}'
    const appId = await place.addApp(fileFlow('Filters', '', middle, 'result'))
    const files = [local(await put(appId, 'a.txt', 'x'), 'document'), local(await put(appId, 'b.png', PNG), 'image')]
    const { out } = (await run(appId, { files })).json.data.outputs
    expect(out.map(({ name }: { name: string }) => name)).to.deep.equal(['b.png'])
  })

  it('an http-request node sends an upload as its body, and as a part of a form', async () => {
    const bodies: Buffer[] = []
    const server = createServer(async (request, response) => {
      bodies.push(await buffer(request))
      response.end('ok')
    })
    const { url, close } = await onLoopback(server)
    try {
      for (const body of [
        '{type: binary, data: [{type: file, file: [start, f]}]}',
        '{type: form-data, data: [{key: doc, type: file, file: [start, f]}]}',
      ]) {
        const middle = `type: http-request, method: post, url: "${url}/", headers: "", params: "", authorization: {type: no-auth}, body: ${body}`
        const appId = await place.addApp(fileFlow('Sends', ONE, middle, 'body'))
        const reply = await run(appId, { inputs: { f: local(await put(appId, 'cat.png', PNG)) } })
        expect(reply.json.data.outputs, reply.text).to.deep.equal({ out: 'ok' })
      }
    } finally {
      await close()
    }
    expect(bodies[0]?.equals(PNG)).to.equal(true)
    expect(bodies[1]?.includes(PNG)).to.equal(true)
    expect(String(bodies[1])).to.contain('name="doc"; filename="cat.png"')
  })

  it("N03 another person's file, another app's, a made-up id and one that was removed are one and the same 422", async () => {
    const appId = await place.addApp(fileFlow('Owned', ONE, READS, 'text'))
    const elsewhere = await place.addApp(fileFlow('Elsewhere', ONE, READS, 'text'))
    await place.addMember('mia@example.test')
    const theirs = (await place.login({ browser: await place.signIn('mia@example.test') })).token
    const gone = await put(appId, 'a.md', '# gone')
    await place.ports.uploadedFiles.forget(place.clock.now() + 1, 500)
    const answers = new Set<string>()
    for (const id of [
      await put(appId, 'a.md', '# A', theirs),
      await put(elsewhere, 'a.md', '# A'),
      NOBODYS,
      gone,
      '../a',
    ]) {
      const reply = await run(appId, { inputs: { f: local(id) } })
      expect(reply.status).to.equal(422)
      answers.add(reply.text)
      const beside = await run(appId, {
        inputs: { f: local(await put(appId, 'b.md', 'b')) },
        files: [local(id, 'document')],
      })
      expect(issue(beside)?.loc).to.deep.equal(['files', 0, 'upload_file_id'])
    }
    expect([...answers]).to.have.length(1)
  })

  // A variable of a run may hold any object: one that looks like a file must not open what its caller may not read.
  it("an object that a caller shapes like a file does not open another person's upload", async () => {
    const json = '{variable: f, type: json_object, label: F, required: true}'
    const appId = await place.addApp(fileFlow('Deputy', json, READS, 'text'))
    const looks = await place.addApp(fileFlow('Deputy sees', json, LOOKS, 'text'))
    await place.addMember('eve@example.test')
    const eve = (await place.login({ browser: await place.signIn('eve@example.test') })).token
    for (const [app, name, bytes] of [
      [appId, 'secret.md', '# secret'],
      [looks, 'secret.png', PNG],
    ] as const) {
      const id = await put(app, name, bytes)
      const f = { type: 'image', transfer_method: 'local_file', related_id: id, name, url: null }
      const { data } = (await run(app, { inputs: { f } }, eve)).json
      expect([data.status, data.outputs]).to.deep.equal(['failed', {}])
      expect(data.error).to.contain('was not uploaded by whoever runs the app')
    }
    expect(asked).to.deep.equal([])
  })

  const RULES: readonly (readonly [
    what: string,
    features: string,
    files: () => object[],
    loc: unknown,
    msg: string,
  ])[] = [
    ['takes none', '{file_upload: {enabled: false}}', () => [remote('a.png')], ['files'], 'this app takes no files'],
    [
      'takes two',
      '{file_upload: {enabled: true, number_limits: 2}}',
      () => [remote('a.png'), remote('b.png'), remote('c.png')],
      ['files'],
      'must have at most 2 files',
    ],
    [
      'takes documents',
      '{file_upload: {enabled: true, allowed_file_types: [document]}}',
      () => [remote('a.png')],
      ['files', 0, 'type'],
      'must be a file of type: document',
    ],
    [
      'takes logs',
      '{file_upload: {enabled: true, allowed_file_types: [custom], allowed_file_extensions: [.LOG]}}',
      () => [{ ...remote('a.png'), type: 'custom' }],
      ['files', 0, 'type'],
      'must be a file of type: .log',
    ],
    [
      'takes uploads only',
      '{file_upload: {enabled: true, allowed_file_upload_methods: [local_file]}}',
      () => [remote('a.png')],
      ['files', 0, 'transfer_method'],
      'must be a file with transfer_method local_file',
    ],
    [
      'takes pictures, in the words of older files',
      '{file_upload: {image: {enabled: true, number_limits: 1, transfer_methods: [remote_url]}}}',
      () => [{ ...remote('a.mp4'), type: 'video' }],
      ['files', 0, 'type'],
      'must be a file of type: image',
    ],
    [
      'says nothing',
      '{}',
      () => Array.from({ length: 11 }, () => remote('a.png')),
      ['files'],
      'must have at most 10 files',
    ],
  ]
  const remote = (name: string) => ({ type: 'image', transfer_method: 'remote_url', url: `https://x.test/${name}` })
  for (const [what, features, files, loc, msg] of RULES) {
    it(`H02 an app that ${what} refuses other files with a 422 that names the field`, async () => {
      const appId = await place.addApp(
        fileFlow('Rules', '', 'type: template-transform, template: x, variables: []', 'output', features),
      )
      const reply = await run(appId, { files: files() })
      expect(reply.status, reply.text).to.equal(422)
      expect(issue(reply)).to.deep.include({ loc, msg })
    })
  }

  it('H02 a file that calls itself another kind than it is gets a 422 that names the type', async () => {
    const appId = await place.addApp(chatFile('Kinds'))
    const reply = await run(appId, { query: 'x', files: [local(await put(appId, 'a.txt', 'words'), 'image')] })
    expect(issue(reply)).to.deep.include({ loc: ['files', 0, 'type'], msg: 'must be document for this file' })
  })
})
