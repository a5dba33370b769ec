import { expect } from 'chai'
import { type AdminRequest, parseAdminCommand } from '#adapters/admin/parse-command.ts'
import { runAdminCommand } from '#adapters/admin/run-command.ts'
import { parseSince } from '#adapters/admin/since.ts'
import { UsageError } from '#adapters/admin/usage-error.ts'
import { chatFile } from '../http/app-files.ts'
import { aPlace, mintExternal, mintOwn, type Place } from '../http/place.ts'
import { OWNER } from '../support/world.ts'

const parse = (...words: readonly string[]) => parseAdminCommand(words, { readStdin: async () => '', env: {} })

const NO_OTHERS = ['Deleted 0 uploads: 0 past their time, 0 that nothing was known of', 'Deleted 0 traces of nodes']

async function usageFault(...words: readonly string[]): Promise<string> {
  try {
    await parse(...words)
    return 'accepted'
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
}

describe('operators’ commands', () => {
  let place: Place
  beforeEach(async () => {
    place = await aPlace()
  })
  afterEach(() => place.close())

  const run = (command: AdminRequest) => runAdminCommand(place.cases, command)

  describe('latchkey audit', () => {
    const NOW_MS = Date.UTC(2026, 0, 31, 12)
    const audit = async (options: { event?: string; json?: boolean }, sinceMs = 0) =>
      (await run({ command: 'audit', sinceMs, options: { json: false, ...options } })).lines

    for (const [text, atMs] of [
      ['90s', NOW_MS - 90_000],
      ['90m', NOW_MS - 5_400_000],
      ['24h', NOW_MS - 86_400_000],
      ['7d', NOW_MS - 7 * 86_400_000],
      ['2026-01-30', Date.UTC(2026, 0, 30)],
      ['2026-01-30T08:00Z', Date.UTC(2026, 0, 30, 8)],
      ['2026-01-30T08:00:01.5+02:00', Date.UTC(2026, 0, 30, 6, 0, 1, 500)],
    ] as const) {
      it(`understands --since ${text}`, () => expect(parseSince(text, NOW_MS)).to.equal(atMs))
    }

    for (const text of ['', 'yesterday', '7', 'd', '-1h', '2026-01-30T08:00', '2026-02-31T25:00Z', '1 day', '1e9d']) {
      it(`refuses --since "${text}" instead of guessing`, async () => {
        expect(parseSince(text, NOW_MS)).to.equal(null)
        expect(await usageFault('audit', '--since', text)).to.contain('--since')
      })
    }

    it('takes --since, and only events that exist', async () => {
      expect(await usageFault('audit')).to.contain('--since')
      expect(await usageFault('audit', '--since', '1h', '--event', 'console.logni')).to.contain('console.login')
      expect(await usageFault('audit', '--since', '1h', '--event', 'toString')).to.contain('console.login')
      expect(await parse('audit', '--since', '1h', '--event', 'console.login')).to.include({ command: 'audit' })
    })

    it('tells what happened, oldest first, from the instant on, of one event when asked', async () => {
      await place.signIn()
      const betweenMs = place.clock.now() + 1
      place.clock.advance(1000)
      await place.login()
      const all = await audit({})
      expect(all.map((line) => line.split('  ')[1])).to.deep.equal([
        'console.login',
        'oauth.device_code_issued',
        'console.login',
        'oauth.device_flow_approved',
        'oauth.token_picked_up',
      ])
      expect(all[0]).to.match(/^2026-01-05T12:00:00\.000Z {2}console\.login {2}\{"account_id":".+","ip":".+"\}$/)
      expect(await audit({}, betweenMs)).to.deep.equal(all.slice(1))
      expect(await audit({ event: 'console.login' })).to.deep.equal([all[0], all[2]])
    })

    it('one JSON object a line with --json', async () => {
      await place.signIn()
      const [line = ''] = await audit({ json: true })
      expect(JSON.parse(line)).to.deep.equal({
        at: '2026-01-05T12:00:00.000Z',
        event: 'console.login',
        account_id: place.owner.accountId,
        ip: '127.0.0.1',
      })
    })

    it('says where to go on when there is more than a terminal can take', async () => {
      const { now } = place.clock
      for (let at = 0; at < 10_001; at++) {
        const tokenId = String(at)
        await place.ports.audit.append({ event: 'oauth.token_expired', facts: { tokenId } }, now() + at)
      }
      const next = new Date(now() + 10_000).toISOString()
      const lines = await audit({})
      expect(lines).to.have.length(10_001)
      expect(lines.at(-1)).to.equal(`… more with --since ${next}`)
      expect((await audit({ json: true })).at(-1)).to.equal(JSON.stringify({ more_since: next }))
    })
  })

  describe('latchkey account ban, unban, close', () => {
    const account = (change: 'ban' | 'unban' | 'close', email = OWNER.email, json = false) =>
      run({ command: 'account change', change, email, options: { json } })

    it('say what they did, and why they did not', async () => {
      await mintOwn(place)
      expect(await account('ban')).to.deep.equal({ ok: true, lines: [`Banned ${OWNER.email}; tokens revoked: 1`] })
      expect(await account('ban')).to.deep.equal({ ok: false, lines: ['the account is banned'] })
      expect(await account('unban')).to.deep.equal({ ok: true, lines: [`Unbanned ${OWNER.email}`] })
      expect(await account('close', OWNER.email, true)).to.deep.equal({
        ok: true,
        lines: [JSON.stringify({ email: OWNER.email, change: 'close', revoked_tokens: 0 })],
      })
      expect(await account('ban', 'nobody@example.test')).to.deep.equal({
        ok: false,
        lines: ['no account has this email'],
      })
    })

    it('take an email', async () => {
      expect(await usageFault('account', 'ban')).to.equal('account ban takes an EMAIL')
      expect(await parse('account', 'close', OWNER.email)).to.include({ command: 'account change', change: 'close' })
    })
  })

  it('no word is left unread: who bans two people in one line does not believe that both are out', async () => {
    const both = ['ada@example.test', 'bob@example.test']
    expect(await usageFault('account', 'ban', ...both)).to.equal(
      'account ban takes one word; left over: bob@example.test',
    )
    expect(await usageFault('prune', 'now')).to.equal('prune takes no words; left over: now')
    expect(await usageFault('app', 'export', 'Greeting', 'Triage')).to.contain('left over: Triage')
    expect(await usageFault('binding', 'remove', 'tool', 'a', 'b', 'c')).to.contain('tool PROVIDER [NAME]')
  })

  it('no option is left unread: a command refuses those of others by name', async () => {
    expect(await usageFault('account', 'ban', OWNER.email, '--issuer', 'x')).to.equal('account ban takes no --issuer')
    expect(await usageFault('app', 'list', '--since', '4d')).to.equal('app list takes no --since')
    expect(await usageFault('prune', '--confirm')).to.equal('prune takes no --confirm')
  })

  it('a mistyped command is answered with those that there are', async () => {
    expect(await usageFault('session')).to.equal('session takes a command; there is list, revoke')
    expect(await usageFault('session', 'revok', 'x')).to.equal('unknown command: session revok; there is list, revoke')
    expect(await usageFault('app')).to.include('access, try')
    expect(await usageFault('sesion')).to.equal('unknown command: sesion')
    expect(await usageFault('prune', '--jsn')).to.equal("Unknown option '--jsn'")
  })

  describe('latchkey prune', () => {
    it('L04 deletes what ended longer ago than it is kept for, and tells the counts', async () => {
      const revoked = await mintOwn(place, { label: 'revoked' })
      await mintOwn(place, { label: 'expired', lifeMs: 1000 })
      await mintOwn(place, { label: 'live', lifeMs: 365 * 86_400_000 })
      await place.cases.revokeToken(revoked)
      place.clock.advance(30 * 86_400_000)
      const prune = (json: boolean) => run({ command: 'prune', options: { json } })
      expect((await prune(false)).lines).to.deep.equal(['Deleted 0 tokens: 0 revoked, 0 expired', ...NO_OTHERS])
      place.clock.advance(1001)
      expect((await prune(false)).lines).to.deep.equal(['Deleted 2 tokens: 1 revoked, 1 expired', ...NO_OTHERS])
      expect((await prune(true)).lines).to.deep.equal(['{"revoked":0,"expired":0,"files":0,"orphans":0,"traces":0}'])
      expect(await place.edit.tokenRows()).to.have.length(1)
    })
  })
})

describe('operators’ commands about access', () => {
  let place: Place
  let appId: string
  beforeEach(async () => {
    place = await aPlace()
    appId = await place.addApp(chatFile('Help desk'))
  })
  afterEach(() => place.close())

  const run = async (...words: readonly string[]) => runAdminCommand(place.cases, await parse(...words))

  it('app access shows and changes whom an app admits, by name or id', async () => {
    expect((await run('app', 'access', 'Help desk')).lines).to.deep.equal(['mode  private_all (the default)'])
    const changed = await run(
      ...['app', 'access', appId, '--mode', 'private', '--grant', 'Eve@Company.example', '--grant', '@partner.example'],
      ...['--grant', 'group:Staff', '--json'],
    )
    expect(JSON.parse(changed.lines[0] ?? '')).to.deep.equal({
      app_id: appId,
      access_mode: 'private',
      grants: ['@partner.example', 'eve@company.example', 'group:Staff'],
    })
    const withdrawn = await run('app', 'access', appId, '--withdraw', '@partner.example')
    expect(withdrawn.lines).to.deep.equal(['mode  private', 'grant eve@company.example', 'grant group:Staff'])
  })

  it('app access refuses modes and grants that there are not, and says what there is', async () => {
    expect(await usageFault('app', 'access', appId, '--mode', 'open')).to.contain('public, sso_verified')
    for (const grant of ['', 'eve', '@', 'group:', '@-', 'a b@c', `@${'a'.repeat(300)}.example`]) {
      expect(await usageFault('app', 'access', appId, '--grant', grant), grant).to.contain('--grant takes')
    }
    expect(await usageFault('app', 'access')).to.contain('takes an APP')
    expect((await run('app', 'access', place.ports.newId())).ok).to.equal(false)
    expect((await run('app', 'access', 'Nothing')).ok).to.equal(false)
  })

  it('external block ends the tokens of that person at once, and unblock lifts it once', async () => {
    const token = await mintExternal(place, 'sam@partner.example')
    const other = await mintExternal(place, 'pat@partner.example')
    const statusOf = async (bearer: string) => (await place.get('/openapi/v1/account', { token: bearer })).status
    expect(await statusOf(token)).to.equal(200)
    expect((await run('external', 'block', 'Sam@Partner.example')).lines[0]).to.contain('tokens revoked: 1')
    expect(await statusOf(token)).to.equal(401)
    expect(await statusOf(other)).to.equal(200)
    expect((await run('external', 'unblock', 'sam@partner.example')).ok).to.equal(true)
    expect((await run('external', 'unblock', 'sam@partner.example')).lines).to.deep.equal(['no such block stands'])
    expect(await usageFault('external', 'block', 'sam')).to.contain('takes an EMAIL')
    expect(await usageFault('external', 'groups', 'sam@partner.example')).to.contain('--issuer')
  })
})
