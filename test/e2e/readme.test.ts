import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { openFormVisitor } from '../../scripts/demo/form-visitor.ts'
import { createPrograms } from '../../scripts/demo/programs.ts'
import type { Visitor } from '../../scripts/demo/visitor.ts'

const ROOT = join(import.meta.dirname, '../..')
const ADDRESS_IN_README = 'http://127.0.0.1:5001'
const ADA = { email: 'ada@example.com', name: 'Ada', password: 'correct-horse-42' }
const run = promisify(execFile)

/** The snippets that the text marks as executed, by name. */
async function snippets(): Promise<Map<string, string>> {
  const text = await readFile(join(ROOT, 'README.md'), 'utf8')
  const marked = text.matchAll(/<!-- executed: (\w+) -->\n```sh\n([\s\S]*?)```/g)
  return new Map([...marked].map(([, name = '', script = '']) => [name, script]))
}

/** The first match in what a program writes. */
async function said(output: Readable | null, pattern: RegExp): Promise<string> {
  let text = ''
  for await (const part of output?.iterator({ destroyOnReturn: false }) ?? []) {
    text += part
    const found = pattern.exec(text)?.[1]
    if (found !== undefined) return found
  }
  throw new Error(`never said ${pattern}: ${text}`)
}

describe('README.md', function () {
  this.timeout(120_000)
  let home: string
  let server: string
  let visitor: Visitor
  let scripts: Map<string, string>
  const executed = new Set<string>()
  let environment: Record<string, string>
  let programs: ReturnType<typeof createPrograms>

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'latchkey-readme-'))
    environment = { DATA_DIR: join(home, 'data'), XDG_CONFIG_HOME: join(home, 'config'), MODEL_BASE_URL: 'scripted:' }
    programs = createPrograms(home, { ...environment, PORT: '0' }, () => {})
    server = await programs.start(['serve']).said(/serves at (http:\S+)/)
    visitor = openFormVisitor()
    await visitor.install(server, ADA)
    await visitor.signIn(server, ADA)
    scripts = await snippets()
  })
  after(async () => {
    await programs.stopAll()
    await rm(home, { recursive: true, force: true })
  })

  /** Runs a snippet as it stands, but for the address of the server. */
  function execute(name: string, variables: Readonly<Record<string, string>> = {}) {
    const script = scripts.get(name)
    if (script === undefined) throw new Error(`README.md has no snippet ${name}`)
    executed.add(name)
    const { PATH = '' } = process.env
    // The client's own default is the address in the text, too.
    const env = { PATH, HOME: home, ...environment, LATCHKEY_HOST: server, ...variables }
    const text = `set -euo pipefail\n${script.replaceAll(ADDRESS_IN_README, server)}`
    return run('bash', ['-c', text], { cwd: ROOT, env })
  }

  it('imports, signs in, lists, describes and runs with the commands it shows', async () => {
    expect((await execute('import')).stdout)
      .to.include('Greeting')
      .and.include('Assistant')

    const login = execute('login')
    const link = await said(login.child.stderr, /or open (\S+) and/)
    await visitor.approve(link, new URL(link).searchParams.get('user_code') ?? '')
    expect((await login).stdout).to.include(ADA.email)

    expect((await execute('run')).stdout)
      .to.include(ADA.email)
      .and.include('Good day, Ada. — Latchkey')
    expect((await execute('chat')).stdout).to.include('The door is open.')
  })

  it('signs in and runs with nothing but curl, or from a program', async () => {
    const code = JSON.parse((await execute('code')).stdout)
    await visitor.approve(code.verification_uri_complete, code.user_code)
    const granted = JSON.parse((await execute('token', { DEVICE_CODE: code.device_code })).stdout)
    const TOKEN = granted.access_token
    const list = (await execute('apps', { TOKEN, WORKSPACE: granted.default_workspace_id })).stdout
    expect(list).to.include(ADA.email).and.include('"name":"Greeting"')
    const [, APP = ''] = /"data":\[\{"id":"([^"]+)"/.exec(list) ?? []
    const answers = (await execute('call', { TOKEN, APP })).stdout
    expect(answers).to.include('Hi Ada! — Latchkey').and.include('event')
    expect((await execute('program', { TOKEN, APP })).stdout).to.include('Hi Ada! — Latchkey')
    expect((await execute('revoke', { TOKEN })).stdout).to.equal('{"status":"revoked"}')
  })

  it('has no marked snippet that nothing executes', () => {
    expect([...scripts.keys()].toSorted()).to.deep.equal([...executed].toSorted())
  })
})
