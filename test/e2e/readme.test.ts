import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { expect } from 'chai'
import { openFormVisitor } from '../../scripts/demo/form-visitor.ts'
import { createPrograms } from '../../scripts/demo/programs.ts'
import type { Visitor } from '../../scripts/demo/visitor.ts'
import { executedDocs, type Variables } from '../support/executed-docs.ts'

const ADA = { email: 'ada@example.com', name: 'Ada', password: 'correct-horse-42' }

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
  let page: Awaited<ReturnType<typeof executedDocs>>
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
    page = await executedDocs('README.md')
  })
  after(async () => {
    await programs.stopAll()
    await rm(home, { recursive: true, force: true })
  })

  const execute = (name: string, variables: Variables = {}) =>
    page.execute(name, server, { HOME: home, ...environment, ...variables })

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
    expect(page.left()).to.deep.equal([])
  })
})
