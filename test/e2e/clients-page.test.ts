import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { chatFile } from '../http/app-files.ts'
import { executedDocs, type Variables } from '../support/executed-docs.ts'
import { aWorld, type World } from '../support/world.ts'

// Clients wait out the advertised interval by themselves.
describe('docs/clients.md', function () {
  this.timeout(60_000)
  let world: World
  let home: string
  let page: Awaited<ReturnType<typeof executedDocs>>
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'latchkey-clients-'))
    world = await aWorld()
    page = await executedDocs('docs/clients.md')
  })
  after(async () => {
    await world.close()
    await rm(home, { recursive: true })
  })

  const execute = (name: string, variables: Variables = {}) =>
    page.execute(name, world.url, { HOME: home, ...variables })

  async function approve(userCode: string): Promise<void> {
    const { headers } = await world.signIn()
    const reply = await world.post('/openapi/v1/oauth/device/approve', { json: { user_code: userCode }, headers })
    expect(reply.status, reply.text).to.equal(200)
  }

  it('signs in, keeps the token off the command line and goes on with a conversation, with nothing but curl', async () => {
    const code = JSON.parse((await execute('code')).stdout)
    await approve(code.user_code)
    const { access_token: TOKEN } = JSON.parse((await execute('token', { DEVICE_CODE: code.device_code })).stdout)
    expect((await execute('whoami', { TOKEN })).stdout).to.include('owner@example.test')
    const APP = await world.addApp(chatFile())
    const { stdout } = await execute('chat', { TOKEN, APP })
    const ids = new Set(stdout.match(/(?<="conversation_id":")[^"]+/g))
    expect([...ids]).to.have.length(1)
    expect(stdout).to.include('"event":"message_end"')
  })

  it('E28 signs in with openid-client, and gives the token back', async () => {
    const running = execute('openid')
    let said = ''
    for await (const part of running.child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
      said += part
      if (said.includes('\n')) break
    }
    await approve(new URL(said.trim().replace('Open ', '')).searchParams.get('user_code') ?? '')
    expect((await running).stdout).to.include('owner@example.test')
  })

  it('streams an answer into a program', async () => {
    const { token: TOKEN } = await world.login()
    const APP = await world.addApp(chatFile())
    expect((await execute('program', { TOKEN, APP })).stdout).to.include('Say hello.')
  })

  it('has no marked snippet that nothing executes', () => {
    expect(page.left()).to.deep.equal([])
  })
})
