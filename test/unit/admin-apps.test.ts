import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import * as v from 'valibot'
import { askAdminSocket, newSocketPath, serveAdminSocket } from '#adapters/admin/admin-socket.ts'
import type { Outside } from '#adapters/admin/outside.ts'
import { UnreadableFile } from '#adapters/admin/outside.ts'
import { AdminRequest, parseAdminCommand } from '#adapters/admin/parse-command.ts'
import { runAdminCommand } from '#adapters/admin/run-command.ts'
import { UsageError } from '#adapters/admin/usage-error.ts'
import { chatFile, graphChatFile, workflowFile } from '../http/app-files.ts'
import { aPlace, type Place } from '../http/place.ts'
import { OWNER } from '../support/world.ts'

const KEY = 'sk-never-shown-again'

describe('operators’ commands about apps', () => {
  let place: Place
  let folder: string
  beforeEach(async () => {
    place = await aPlace({ model: null })
    folder = await mkdtemp(join(tmpdir(), 'latchkey-admin-'))
  })
  afterEach(async () => {
    await place.close()
    await rm(folder, { recursive: true })
  })

  /** The words as they are typed; the request crosses as JSON, as it does to a serving process. */
  async function latchkey(line: string, outside: Partial<Outside> = {}) {
    const words = line.split(' ').filter((word) => word !== '')
    const request = await parseAdminCommand(words, { readStdin: async () => '', env: {}, ...outside })
    return runAdminCommand(place.cases, v.parse(AdminRequest, JSON.parse(JSON.stringify(request))))
  }

  async function fault(line: string, outside: Partial<Outside> = {}): Promise<string> {
    try {
      await latchkey(line, outside)
      return 'accepted'
    } catch (error) {
      if (error instanceof UsageError || error instanceof UnreadableFile) return error.message
      throw error
    }
  }

  async function fileOf(text: string, name = 'app.yml'): Promise<string> {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }

  // Whoever may import an app chooses its name, and would choose what an operator's terminal does.
  it('security: an app’s name reaches the operator’s terminal without escape sequences, lines or hidden text', async () => {
    const name = 'evil\u001b]0;gone\u0007\r\nok  true\u009b2J\u202Etxt\u2069'
    await latchkey(`app import ${await fileOf(chatFile(name))}`)
    const listed = await latchkey('app list')
    expect(listed.lines).to.have.length(1)
    const appId = listed.lines[0]?.split(' ')[0]
    const shown = [...listed.lines, ...(await latchkey(`app check ${appId}`)).lines]
    for (const line of shown) expect(line).not.to.match(/[\p{Cc}\u2028-\u202E\u2066-\u2069]/u)
    expect(listed.lines[0]).to.contain('evil\\u001b]0;gone\\u0007')
    const [json = ''] = (await latchkey('app list --json')).lines
    expect(json).not.to.match(/[\p{Cc}\u2028-\u202E\u2066-\u2069]/u)
    expect(JSON.parse(json).name).to.equal(name)
  })

  it('app bind-upstream lets an app run elsewhere, with a key that is shown nowhere, and unbind-upstream here again', async () => {
    const appId = await place.addApp(graphChatFile())
    const url = 'https://dify.example/v1'
    const check = async () => (await latchkey(`app check ${appId}`)).ok
    expect(await check()).to.equal(false)
    for (const [words, outside] of [
      [`--key ${KEY}`, {}],
      ['--key -', { readStdin: async () => `${KEY}\n` }],
      ['--key-stdin', { readStdin: async () => `${KEY}\n` }],
      ['--key-env DIFY_KEY', { env: { DIFY_KEY: KEY } }],
    ] as const) {
      const bound = await latchkey(`app bind-upstream ${appId} --url ${url} ${words}`, outside)
      expect(bound.ok, bound.lines.join()).to.equal(true)
      expect(bound.lines.join()).to.include(url).and.not.include(KEY)
      expect(await check(), words).to.equal(true)
      const listed = await latchkey('binding list')
      expect(listed.lines.join()).to.include(`app ${appId} to upstream ${url}, with a key`).and.not.include(KEY)
      expect((await latchkey(`app unbind-upstream ${appId}`)).ok).to.equal(true)
      expect(await check()).to.equal(false)
    }
    const twice = await latchkey(`app unbind-upstream ${appId}`)
    expect([twice.ok, twice.lines.join()]).to.deep.equal([false, '"Graph chat" runs here already'])
  })

  for (const [words, says] of [
    ['--key k', 'takes --url'],
    ['--url https://a.example/v1', 'takes one of --key-stdin'],
    ['--url https://a.example/v1 --key k --key-stdin', 'takes one of --key-stdin'],
    ['--url https://a.example/v1 --key-stdin', 'holds no key'],
    ['--url https://a.example/v1 --key-env NONE', 'holds no key'],
  ] as const) {
    it(`app bind-upstream refuses "${words}" with what it wants`, async () => {
      expect(await fault(`app bind-upstream ${chatFile.name} ${words}`)).to.include(says)
    })
  }

  it('app bind-upstream refuses an address that is none', async () => {
    const appId = await place.addApp(chatFile())
    for (const url of ['dify.example', 'https://user:word@dify.example/v1', 'file:///etc/passwd']) {
      const { ok, lines } = await latchkey(`app bind-upstream ${appId} --url ${url} --key k`)
      expect([ok, lines.join()], url).to.deep.equal([false, lines.join()])
      expect(lines.join()).to.include('url must be')
    }
  })

  it('app import says what must be bound before the app can run, node by node', async () => {
    const { ok, lines } = await latchkey(`app import ${await fileOf(graphChatFile())}`)
    expect(ok).to.equal(true)
    expect(lines[0]).to.match(/^Imported "Graph chat" \(advanced-chat, format 0\.6\.0\) as /)
    expect(lines.slice(1, 3)).to.deep.equal(['Before it can run:', '  Model (llm): the model gpt is not bound'])
    const json = JSON.parse((await latchkey(`app import ${await fileOf(graphChatFile())} --json`)).lines[0] ?? '')
    expect(json).to.deep.include({ status: 'completed', mode: 'advanced-chat' })
    expect(json.preflight).to.have.length(1)
    expect(json.preflight[0]).to.have.all.keys('node', 'title', 'reason', 'fix')
  })

  it('app import tells old, present and future formats apart, and stores what is confirmed', async () => {
    const statusOf = async (version: string, more = '') => {
      const path = await fileOf(workflowFile().replace('0.6.0', version))
      return JSON.parse((await latchkey(`app import ${path} --json ${more}`)).lines[0] ?? '').status
    }
    for (const version of ['0.1.0', '0.3.1', '0.5.0']) {
      expect(await statusOf(version), version).to.equal('completed-with-warnings')
    }
    expect(await statusOf('0.6.0')).to.equal('completed')
    const before = (await latchkey('app list')).lines.length
    for (const version of ['0.7.0', '1.0.0']) expect(await statusOf(version), version).to.equal('pending')
    expect((await latchkey('app list')).lines).to.have.length(before)
    expect(await statusOf('1.0.0', '--confirm')).to.equal('completed')
    const refused = await latchkey(`app import ${await fileOf('version: 3')}`)
    expect(refused).to.deep.include({ ok: false })
  })

  it('app import names the file that is no app file, and says why', async () => {
    const readme = await fileOf('# Title\n\nSome words: and more: of them\n', 'README.md')
    const refused = await latchkey(`app import ${readme}`)
    expect(refused.ok).to.equal(false)
    expect(refused.lines).to.have.length(1)
    expect(refused.lines[0]).to.match(/README\.md is no app file: line 3, /)
    const typed = await latchkey('app import -', { readStdin: async () => 'Just words' })
    expect(typed.lines[0]).to.match(/^standard input is no app file: .*a mapping with `app`/)
  })

  it('says of an empty list that it is empty, beside the list, and to no program', async () => {
    const EMPTY = [
      ['binding list', 'no bindings'],
      ['app list', 'no apps'],
      [`session list --email ${OWNER.email}`, 'no sessions'],
      ['audit --since 2026-01-30', 'no events'],
    ] as const
    for (const [line, note] of EMPTY) {
      expect(await latchkey(line), line).to.deep.equal({ ok: true, lines: [], note })
      expect(await latchkey(`${line} --json`), line).to.deep.equal({ ok: true, lines: [] })
    }
    await latchkey(`app import ${await fileOf(chatFile('Only'))}`)
    expect(await latchkey('app list')).to.not.have.property('note')
  })

  it('says so of an empty list that a serving process was asked for, too', async () => {
    const path = newSocketPath()
    const served = await serveAdminSocket(path, (request) => runAdminCommand(place.cases, request))
    try {
      const request = await parseAdminCommand(['binding', 'list'], { readStdin: async () => '', env: {} })
      expect(await askAdminSocket(path, request)).to.deep.equal({ ok: true, lines: [], note: 'no bindings' })
    } finally {
      await served.close()
    }
  })

  it('app check answers by id or name, and fails until everything is bound', async () => {
    await latchkey(`app import ${await fileOf(chatFile('Only'))}`)
    const missing = await latchkey('app check Only')
    expect(missing).to.deep.include({ ok: false, isAnswer: true })
    expect(missing.lines[0]).to.equal('Before "Only" can run:')
    await latchkey('binding set model openai --url https://models.example/v1')
    expect(await latchkey('app check Only')).to.deep.include({ ok: true, lines: ['"Only" can run'] })
    const { lines } = await latchkey('app check Only --json')
    expect(JSON.parse(lines[0] ?? '')).to.deep.include({ name: 'Only', preflight: [] })
    expect((await latchkey('app check Missing')).lines).to.deep.equal(['no app of this workspace has this id or name'])
    await latchkey(`app import ${await fileOf(chatFile('Only'))}`)
    expect((await latchkey('app check Only')).lines[0]).to.match(/^several apps have this name: /)
  })

  it('app export gives a file that imports as the same app and exports to the same bytes', async () => {
    await latchkey(`app import ${await fileOf(graphChatFile('First'))}`)
    const once = (await latchkey('app export First')).lines.join('\n')
    await latchkey(`app import - --name Second`, { readStdin: async () => `${once}\n` })
    const twice = (await latchkey('app export Second')).lines.join('\n')
    expect(twice).to.equal(once.replace('name: First', 'name: Second'))
    expect(twice).not.to.equal(once)
  })

  it('binding set takes its key from standard input or the environment, and never shows it', async () => {
    const shown: string[] = []
    for (const [option, outside] of [
      ['--key-stdin', { readStdin: async () => `${KEY}\n` }],
      ['--key-env SOME_KEY', { env: { SOME_KEY: KEY } }],
    ] as const) {
      const { ok, lines } = await latchkey(
        `binding set model langgenius/openai/openai gpt-4o --url https://models.example/v1 ${option}`,
        outside,
      )
      expect(ok).to.equal(true)
      shown.push(...lines, ...(await latchkey('binding list')).lines, ...(await latchkey('binding list --json')).lines)
      const bindings = await place.cases.bindings.list({ ...place.owner })
      expect(bindings[0]).to.deep.include({ key: 'kept' })
      await latchkey('binding remove model openai gpt-4o')
      expect((await latchkey('binding list')).lines).to.deep.equal([])
    }
    expect(shown[0]).to.equal('Bound model openai gpt-4o to endpoint https://models.example/v1, with a key')
    expect(shown.join()).not.to.include(KEY)
  })

  it('binding set binds tools to operations, servers, apps and code', async () => {
    const document = 'openapi: 3.1.0\nservers: [{url: "https://api.example"}]\npaths: {/a: {get: {operationId: a}}}\n'
    const openapi = await fileOf(document, 'api.yaml')
    const js = await fileOf('const main = ({ a }) => a', 'tool.js')
    await latchkey(`app import ${await fileOf(chatFile('Helper'))}`)
    const appId = (await latchkey('app list')).lines[0]?.split(' ')[0]
    for (const line of [
      `binding set tool api-provider get_a --openapi ${openapi} --operation a --header X-Key`,
      `binding set tool server --mcp https://mcp.example/ --tool search`,
      `binding set tool flow run --app ${appId}`,
      `binding set tool code add --js ${js}`,
      'binding set dataset Zm9v/+= --url https://docs.example --knowledge k1',
    ]) {
      expect(await latchkey(line), line).to.deep.include({ ok: true })
    }
    expect((await latchkey('binding list')).lines).to.deep.equal([
      'dataset Zm9v/+= to retriever https://docs.example',
      'tool api-provider get_a to openapi https://api.example',
      'tool code add to js code',
      `tool flow run to app ${appId}`,
      'tool server to mcp https://mcp.example/',
    ])
  })

  for (const [line, said] of [
    ['app check', 'app check takes an APP'],
    ['app export', 'app export takes an APP'],
    ['binding', 'binding takes a command; there is list, set, remove'],
    ['binding set', 'binding set takes model PROVIDER'],
    ['binding set moon a', 'binding set takes model PROVIDER'],
    ['binding set model', 'binding set takes model PROVIDER'],
    ['binding set model a b c --url https://a.example', 'binding set takes model PROVIDER'],
    ['binding set model a b', 'binding set model takes --url'],
    ['binding set dataset d', 'binding set dataset takes --url'],
    ['binding set tool a b', 'one of --openapi FILE, --mcp URL'],
    ['binding set tool a b --mcp https://a.example --js x.js', 'one of --openapi FILE, --mcp URL'],
    ['binding set tool a b --js no-such-file.js', 'cannot read no-such-file.js: there is no such file'],
    ['binding set model a --url https://a.example --key sk', 'binding set takes no --key'],
    ['binding set model a --url https://a.example --key-stdin', 'standard input holds no key'],
    ['binding set model a --url https://a.example --key-env NONE', 'the variable NONE holds no key'],
    ['binding set model a --url https://a.example --key-stdin --no-key', 'takes one of --key-stdin'],
    ['binding remove model', 'binding remove takes model PROVIDER'],
  ] as const) {
    it(`refuses "${line}" with the words that it wants`, async () => {
      expect(await fault(line)).to.include(said)
    })
  }

  it('names the field that cannot be bound, and stores nothing', async () => {
    expect((await latchkey('binding set model a --url ftp://a.example')).lines[0]).to.match(/^url must be an http/)
    expect(await latchkey('binding remove model a')).to.deep.equal({
      ok: false,
      lines: ['nothing is bound as model a; latchkey binding list shows what is'],
    })
    const broken = await fileOf('a: [', 'api.yaml')
    expect(await fault(`binding set tool a b --openapi ${broken} --url https://a.example`)).to.include(
      'neither YAML nor',
    )
    const none = await fileOf('paths: {}', 'api.yaml')
    expect(await fault(`binding set tool a b --openapi ${none}`)).to.include('names no server')
    expect((await latchkey('binding list')).lines).to.deep.equal([])
  })
})
