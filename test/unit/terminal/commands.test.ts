import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import type { TerminalIo } from '#adapters/terminal/terminal-io.ts'
import {
  A_TOKEN,
  A_WORKSPACE_ID,
  AN_APP_ID,
  ANOTHER_TOKEN,
  anAccount,
  anAppsPage,
  openTerminalWorld,
  type TerminalWorld,
} from '../../support/terminal-world.ts'

const ON_A_TERMINAL = { isTTY: true, write: () => undefined }
const DEAD_SERVER: Partial<TerminalIo> = {
  fetch: async () => {
    throw new TypeError('fetch failed', { cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) })
  },
}
const aSession = (overrides: Record<string, unknown> = {}) => ({
  id: '01890000-0000-7000-8000-0000000000c1',
  prefix: 'dfoa_',
  client_id: 'latchkey',
  device_label: 'workbench #AAAA',
  created_at: '2026-01-01T00:00:00Z',
  last_used_at: null,
  expires_at: '2026-01-15T00:00:00Z',
  current: true,
  ...overrides,
})

describe('latchkey commands', () => {
  let world: TerminalWorld
  beforeEach(async () => {
    world = await openTerminalWorld()
  })
  afterEach(() => world.close())

  describe('before any request', () => {
    it('exits 4 without a token', async () => {
      const { code, stderr } = await world.latchkey(['whoami'])
      expect([code, stderr.includes('run latchkey login')]).to.deep.equal([4, true])
      expect(world.api.heard).to.have.length(0)
    })

    const wrong: readonly (readonly string[])[] = [
      ['whoami', '--nonsense'],
      ['whoami', 'extra'],
      ['describe'],
      ['run'],
      ['run', AN_APP_ID, '--input', 'novalue'],
      ['run', AN_APP_ID, '--inputs', '[]'],
      ['run', AN_APP_ID, '--inputs', '{'],
      ['run', AN_APP_ID, '--inputs', '@/no/such/file'],
      ['sessions', 'revoke'],
      ['sessions', 'revoke', '..'],
      ['dance'],
    ]
    for (const words of wrong) {
      it(`exits 2 for latchkey ${words.join(' ')}`, async () => {
        await world.signedIn()
        const before = world.api.heard.length
        expect((await world.latchkey(words)).code).to.equal(2)
        expect(world.api.heard).to.have.length(before)
      })
    }

    for (const name of ['login', 'logout', 'whoami', 'apps', 'describe', 'run', 'sessions']) {
      it(`explains ${name} with --help, the environment included`, async () => {
        const { code, stdout } = await world.latchkey([name, '--help'])
        expect(code).to.equal(0)
        expect(stdout).to.include(`Usage: latchkey ${name}`).and.include('LATCHKEY_TOKEN').and.include('LATCHKEY_HOST')
      })
    }

    it('refuses plain http to another machine unless --insecure', async () => {
      const asked: string[] = []
      const io: Partial<TerminalIo> = {
        env: { LATCHKEY_TOKEN: A_TOKEN },
        fetch: async (url) => {
          asked.push(String(url))
          return Response.json(anAccount())
        },
      }
      const remote = ['--host', 'http://10.1.2.3:5001']
      const { code, stderr } = await world.latchkeyAt(['whoami', ...remote], io)
      expect([code, stderr.includes('clear text')]).to.deep.equal([2, true])
      expect(asked).to.have.length(0)
      expect((await world.latchkeyAt(['whoami', ...remote, '--insecure'], io)).code).to.equal(0)
      expect((await world.latchkeyAt(['whoami', '--host', 'https://latchkey.example/base/'], io)).code).to.equal(0)
      expect(asked[1]).to.equal('https://latchkey.example/base/openapi/v1/account')
    })

    for (const loopback of ['http://localhost:1', 'http://127.9.9.9:1', 'http://[::1]:1']) {
      it(`allows plain http to ${loopback}`, async () => {
        const io = { env: { LATCHKEY_TOKEN: A_TOKEN }, fetch: async () => Response.json(anAccount()) }
        expect((await world.latchkeyAt(['whoami', '--host', loopback], io)).code).to.equal(0)
      })
    }

    it('does not quote a LATCHKEY_TOKEN that cannot be a header', async () => {
      // fetch would: "Headers.append: "Bearer …" is an invalid header value".
      const { code, stderr } = await world.latchkey(['whoami'], { env: { LATCHKEY_TOKEN: 'top\nsecret' } })
      expect([code, stderr.includes('secret')]).to.deep.equal([2, false])
    })
  })

  describe('whoami', () => {
    it('sends the stored token and shows who and where', async () => {
      await world.signedIn()
      world.api.on('GET /account', { json: anAccount() })
      const { code, stdout } = await world.latchkey(['whoami'])
      expect(code).to.equal(0)
      expect(stdout).to.include('Ada <ada@example.com>').and.include(`* ${A_WORKSPACE_ID}  Lab  (owner)`)
      expect(world.api.heard.at(-1)?.authorization).to.equal(`Bearer ${A_TOKEN}`)
    })

    it('prefers LATCHKEY_TOKEN, and talks to LATCHKEY_HOST without --host', async () => {
      await world.signedIn()
      world.api.on('GET /account', { json: anAccount() })
      const env = { LATCHKEY_TOKEN: ANOTHER_TOKEN, LATCHKEY_HOST: world.api.url }
      expect((await world.latchkeyAt(['whoami'], { env })).code).to.equal(0)
      expect(world.api.heard.at(-1)?.authorization).to.equal(`Bearer ${ANOTHER_TOKEN}`)
    })

    // `latchkey login` would succeed and change nothing.
    it('blames LATCHKEY_TOKEN and not the sign-in when that is what the server refuses', async () => {
      await world.signedIn()
      world.api.on('GET /account', { status: 401, json: { error: 'invalid_bearer' } })
      const given = await world.latchkey(['whoami'], { env: { LATCHKEY_TOKEN: ANOTHER_TOKEN } })
      expect(given.code).to.equal(4)
      expect(given.stderr)
        .to.include('the token in LATCHKEY_TOKEN is wrong, expired or revoked')
        .and.include('unset it')
      expect(given.stderr).not.to.include(ANOTHER_TOKEN)
      expect((await world.latchkey(['whoami'])).stderr)
        .to.include('run latchkey login')
        .and.not.include('LATCHKEY_TOKEN')
    })

    it('answers a mistyped option with its name, without advice on words that begin with a dash', async () => {
      const { code, stderr } = await world.latchkey(['whoami', '--jsn'])
      expect([code, stderr]).to.deep.equal([
        2,
        "Unknown option '--jsn'\nlatchkey whoami --help shows what is possible\n",
      ])
    })

    it('talks to the last sign-in without --host', async () => {
      await world.signedIn()
      world.api.on('GET /account', { json: anAccount() })
      expect((await world.latchkeyAt(['whoami'])).code).to.equal(0)
    })

    it('never follows a redirect, which would carry the bearer to another host', async () => {
      await world.signedIn()
      const before = world.api.heard.length
      world.api.on('GET /account', { status: 302, headers: { Location: `${world.api.url}/openapi/v1/elsewhere` } })
      expect((await world.latchkey(['whoami'])).code).to.equal(1)
      expect(world.api.heard).to.have.length(before + 1)
    })

    it('exits 4 on 401, 7 on 429 with the wait, 1 on 500', async () => {
      await world.signedIn()
      world.api.on(
        'GET /account',
        { status: 401, json: { error: 'invalid_bearer' } },
        { status: 429, json: { error: 'rate_limited', retry_after_ms: 9000 }, headers: { 'Retry-After': '9' } },
        { status: 500, json: { error: 'internal_server_error', message: 'Internal Server Error' } },
      )
      expect((await world.latchkey(['whoami'])).code).to.equal(4)
      const limited = await world.latchkey(['whoami'])
      expect([limited.code, limited.stderr.includes('try again in 9 s')]).to.deep.equal([7, true])
      expect((await world.latchkey(['whoami'])).code).to.equal(1)
    })

    it('says it is no Latchkey when the answer is another one, and names the reason when nobody answers', async () => {
      await world.signedIn()
      world.api.on('GET /account', { json: { hello: 'world' } })
      expect((await world.latchkey(['whoami'])).stderr).to.include('is it a Latchkey server?')
      const dead = await world.latchkey(['whoami'], DEAD_SERVER)
      expect([dead.code, dead.stderr.includes('ECONNREFUSED')]).to.deep.equal([1, true])
      expect(dead.stderr).to.include('nothing serves there; --host or LATCHKEY_HOST names another server')
    })

    it('reports a failure as one JSON line on stderr with --json', async () => {
      await world.signedIn()
      world.api.on('GET /account', { status: 401, json: { error: 'invalid_bearer' } })
      const { stdout, stderr } = await world.latchkey(['whoami', '--json'])
      expect(stdout).to.equal('')
      expect(JSON.parse(stderr)).to.include({ error: 'invalid_bearer', exit_code: 4 })
    })
  })

  describe('apps and describe', () => {
    beforeEach(async () => {
      await world.signedIn()
      world.api.on('GET /account', { json: anAccount() })
    })

    it('lists the default workspace with the filters given, data on stdout and the count on stderr', async () => {
      world.api.on('GET /apps', { json: { ...anAppsPage([{}]), total: 42, has_more: true } })
      const { stdout, stderr } = await world.latchkey([
        'apps',
        '--mode',
        'chat',
        '--name',
        'ec',
        '--page',
        '1',
        '--limit',
        '1',
      ])
      expect(stdout).to.include(AN_APP_ID).and.include('Echo')
      expect(stderr).to.equal('1 of 42; more with --page 2\n')
      const query = Object.fromEntries(world.api.heard.at(-1)?.query ?? [])
      expect(query).to.deep.equal({ workspace_id: A_WORKSPACE_ID, mode: 'chat', name: 'ec', page: '1', limit: '1' })
    })

    it('lists the permitted apps of an external subject', async () => {
      const external = { subject_type: 'external_sso', account: null, workspaces: [], default_workspace_id: null }
      world.api.on('GET /account', { json: anAccount(external) })
      world.api.on('GET /apps/permitted', { json: anAppsPage([{ name: 'Shared' }]) })
      expect((await world.latchkey(['apps'])).stdout).to.include('Shared')
    })

    it('defuses a hostile app name, in the table as in JSON', async () => {
      // Attack: an app named with escape sequences rewrites the screen or the clipboard of whoever lists it.
      const name = 'Nice\u001B[2J\u009B31m\u202Eevil\r\nfake row'
      world.api.on('GET /apps', { json: anAppsPage([{ name }]) })
      const table = await world.latchkey(['apps'], { stdout: ON_A_TERMINAL })
      for (const mark of ['\u001B', '\u009B', '\u202E', '\r']) expect(table.stdout).not.to.include(mark)
      expect(table.stdout.trim().split('\n')).to.have.length(2)
      const { stdout } = await world.latchkey(['apps', '--json'])
      for (const mark of ['\u001B', '\u009B', '\u202E', '\r']) expect(stdout).not.to.include(mark)
      expect(JSON.parse(stdout).data[0].name).to.equal(name)
    })

    it('describes by a unique name, says what is required', async () => {
      world.api.on('GET /apps', { json: anAppsPage([{ name: 'Echo' }, { id: 'other', name: 'Echo two' }]) })
      world.api.on(`GET /apps/${AN_APP_ID}/describe`, {
        json: {
          info: { id: AN_APP_ID, name: 'Echo', description: 'Says it again', mode: 'chat' },
          parameters: {},
          input_schema: {
            type: 'object',
            required: ['query', 'inputs'],
            properties: {
              query: { type: 'string', minLength: 1 },
              inputs: {
                type: 'object',
                required: ['tone'],
                properties: { tone: { type: 'string', title: 'Tone', enum: ['warm', 'dry'] }, n: { type: 'number' } },
              },
            },
          },
        },
      })
      const { code, stdout } = await world.latchkey(['describe', 'Echo'])
      expect(code).to.equal(0)
      expect(stdout)
        .to.match(/tone\s+warm\|dry\s+required\s+Tone/)
        .and.match(/n\s+number\s+optional/)
      expect(stdout).to.include('QUERY  required')
    })

    it('says why an app cannot run yet, and stays silent about one that can', async () => {
      const described = (preflight?: readonly object[]) => ({
        json: {
          info: { id: AN_APP_ID, name: 'Echo', description: '', mode: 'workflow' },
          parameters: {},
          input_schema: { type: 'object', properties: {} },
          ...(preflight === undefined ? {} : { preflight }),
        },
      })
      const path = `GET /apps/${AN_APP_ID}/describe`
      world.api.on(
        path,
        described([{ node: 'n1', title: 'Ask\u001b[31m', reason: 'the model m is not bound', fix: 'Bind it.' }]),
      )
      const missing = await world.latchkey(['describe', AN_APP_ID])
      expect(missing.code).to.equal(0)
      expect(missing.stderr).to.include('It cannot run yet: Ask').and.to.include('the model m is not bound')
      expect(missing.stderr).not.to.include('\u001b')
      world.api.on(path, described())
      expect((await world.latchkey(['describe', AN_APP_ID])).stderr).not.to.include('cannot run')
    })

    it('asks for an id when a name is carried twice, and says when nobody carries it', async () => {
      world.api.on('GET /apps', { json: anAppsPage([{}, { id: '01890000-0000-7000-8000-0000000000a2' }]) })
      const twice = await world.latchkey(['describe', 'Echo'])
      expect([twice.code, twice.stderr.includes('00a2')]).to.deep.equal([1, true])
      const nobody = await world.latchkey(['describe', 'Ech'])
      expect([nobody.code, nobody.stderr.includes('near: Echo')]).to.deep.equal([1, true])
    })
  })

  describe('sessions and logout', () => {
    beforeEach(() => world.signedIn())
    const kept = () => readdir(join(world.configDir, 'hosts'))

    it('lists sessions and marks the current one', async () => {
      const page = { page: 1, limit: 100, total: 2, has_more: false }
      world.api.on('GET /account/sessions', { json: { ...page, data: [aSession(), aSession({ current: false })] } })
      const rows = (await world.latchkey(['sessions'])).stdout.trim().split('\n')
      expect(rows[1]).to.match(/^\* /).and.include('workbench #AAAA').and.include('never')
      expect(rows[2]).not.to.include('*')
    })

    it('revokes by id', async () => {
      const { id } = aSession()
      world.api.on(`DELETE /account/sessions/${id}`, { json: { status: 'revoked' } })
      expect((await world.latchkey(['sessions', 'revoke', id])).stdout).to.equal(`Revoked ${id}\n`)
    })

    it('logs out on the server first, then forgets', async () => {
      world.api.on('DELETE /account/sessions/self', { json: { status: 'revoked' } })
      expect((await world.latchkey(['logout'])).code).to.equal(0)
      expect(world.api.heard.at(-1)?.method).to.equal('DELETE')
      expect(await kept()).to.deep.equal([])
      expect((await world.latchkey(['whoami'])).code).to.equal(4)
    })

    it('forgets a session that had ended before', async () => {
      world.api.on('DELETE /account/sessions/self', { status: 401, json: { error: 'invalid_bearer' } })
      expect((await world.latchkey(['logout'])).code).to.equal(0)
      expect(await kept()).to.deep.equal([])
    })

    it('keeps the token when the server cannot be reached, and says how to forget it anyway', async () => {
      // A token forgotten here but alive there could no longer be revoked from here.
      const { code, stderr } = await world.latchkey(['logout'], DEAD_SERVER)
      expect([code, stderr.includes('--local')]).to.deep.equal([1, true])
      expect(await kept()).to.have.length(1)
      expect((await world.latchkey(['logout', '--local'], DEAD_SERVER)).code).to.equal(0)
      expect(await kept()).to.deep.equal([])
    })

    it('leaves the stored token alone when LATCHKEY_TOKEN is the one revoked', async () => {
      world.api.on('DELETE /account/sessions/self', { json: { status: 'revoked' } })
      await world.latchkey(['logout'], { env: { LATCHKEY_TOKEN: ANOTHER_TOKEN } })
      expect(world.api.heard.at(-1)?.authorization).to.equal(`Bearer ${ANOTHER_TOKEN}`)
      expect(await kept()).to.have.length(1)
    })
  })
})
