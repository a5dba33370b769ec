import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import sinon from 'sinon'
import { API, aPlace, mintExternal, mintOwn, type Place } from '../http/place.ts'
import { dropTemplate } from '../support/databases.ts'
import { CROWDED, seedManyRows } from '../support/many-rows.ts'
import { services, suiteFor } from '../support/services.ts'
import type { Browser } from '../support/world.ts'

const CHAT = readFileSync(new URL('../../examples/assistant-chat.yml', import.meta.url), 'utf8')

/** What PostgreSQL means to do, as `explain (format json)` says it. */
type Plan = {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Index Cond'?: string
  readonly Plans?: readonly Plan[]
}
/** Of a few rows only, whatever their table holds. */
const SMALL_INDEXES: ReadonlySet<string | undefined> = new Set(['idx_tenants_closed'])
type Statement = { readonly text: string; readonly parameters: readonly unknown[] }

// The statements are those that the server sends while it answers, so that none can be forgotten when it changes.
suiteFor(services.redis === null ? 'redis' : 'postgres')('plans of the statements that requests send', function () {
  this.timeout(60_000)
  let place: Place
  let appId: string
  let browser: Browser
  let sent: Statement[]
  let execute: (statement: string, parameters?: readonly unknown[]) => Promise<unknown>

  before(async () => {
    place = await aPlace({ on: 'services' })
    if (place.services === null) throw new Error('opened on memory')
    const { em } = place.services.orm
    await seedManyRows(em)
    appId = await place.addApp(CHAT)
    await place.edit.setApp(appId, { tag: 'mine' })
    browser = await place.signIn()
    const connection = em.getConnection()
    const original = connection.execute.bind(connection)
    execute = (statement, parameters = []) => original(statement, [...parameters])
    sent = []
    sinon.stub(connection, 'execute').callsFake((...args) => {
      const [statement, parameters = []] = args
      if (Array.isArray(parameters)) sent.push({ text: String(statement), parameters })
      return original(...args)
    })
  })
  after(async () => {
    sinon.restore()
    await place.close()
    await dropTemplate()
  })

  async function planOf({ text, parameters }: Statement): Promise<Plan> {
    // The shape is PostgreSQL's.
    const [row] = (await execute(`explain (format json) ${text}`, parameters)) as [{ 'QUERY PLAN': [{ Plan: Plan }] }]
    return row['QUERY PLAN'][0].Plan
  }

  /** The crowded tables that the statements of `act` read from end to end, and those that they name. */
  async function tablesIn(act: () => Promise<unknown>) {
    sent.length = 0
    await act()
    const statements = sent.filter(({ text }) => /^\s*(?:with|select|insert|update|delete)\b/i.test(text))
    const scanned: string[] = []
    for (const statement of statements) {
      for (const table of scannedBy(await planOf(statement))) scanned.push(`${table}: ${statement.text}`)
    }
    const words = new Set(statements.flatMap(({ text }) => text.match(/\w+/g) ?? []))
    return { scanned, named: [...CROWDED].filter((table) => words.has(table)) }
  }

  function scannedBy({ Plans = [], ...node }: Plan): readonly string[] {
    const table = node['Relation Name']
    // An index without a condition is read from end to end as well.
    const isUnbounded =
      /^Index/.test(node['Node Type']) && !node['Index Cond'] && !SMALL_INDEXES.has(node['Index Name'])
    const isWhole = node['Node Type'] === 'Seq Scan' || isUnbounded
    const own = isWhole && table !== undefined && CROWDED.has(table) ? [table] : []
    return [...own, ...Plans.flatMap(scannedBy)]
  }

  async function expectOk(reply: Promise<{ status: number; text: string }>): Promise<void> {
    const { status, text } = await reply
    expect(status, text).to.be.within(200, 299)
  }
  const chat = (token: string, conversation_id?: string) =>
    place.post(`${API}/apps/${appId}/run`, {
      token,
      json: { inputs: {}, query: 'hello', response_mode: 'blocking', conversation_id },
    })

  it('a scan of a whole table is seen', async () => {
    const { scanned } = await tablesIn(async () => {
      sent.push({ text: 'select count(*) from apps where description = ?', parameters: ['x'] })
    })
    expect(scanned).to.deep.equal(['apps: select count(*) from apps where description = ?'])
  })

  const acts: readonly {
    readonly does: string
    readonly on: readonly string[]
    readonly act: () => Promise<unknown>
  }[] = [
    {
      does: 'a bearer is found by its digest, its person and workspaces by their ids',
      on: ['oauth_access_tokens', 'accounts', 'tenant_account_joins', 'tenants'],
      act: async () => expectOk(place.get(`${API}/workspaces`, { token: await mintOwn(place) })),
    },
    {
      does: 'sessions are listed by their person',
      on: ['oauth_access_tokens'],
      act: async () => expectOk(place.get(`${API}/account/sessions`, { token: await mintOwn(place) })),
    },
    {
      does: 'sessions of an external person are listed by email and issuer',
      on: ['oauth_access_tokens'],
      act: async () => expectOk(place.get(`${API}/account/sessions`, { token: await mintExternal(place) })),
    },
    {
      does: 'a device flow mints on the index of live devices',
      on: ['oauth_access_tokens', 'tenant_account_joins'],
      act: () => place.login({ label: 'planned', browser }),
    },
    {
      does: 'a session is revoked by its id',
      on: ['oauth_access_tokens'],
      act: async () => expectOk(place.delete(`${API}/account/sessions/self`, { token: await mintOwn(place) })),
    },
    {
      does: 'last uses are written by digest',
      on: ['oauth_access_tokens'],
      async act() {
        await place.get(`${API}/workspaces`, { token: await mintOwn(place) })
        sent.length = 0
        await place.cases.tokenUsage.flush({ everything: true })
      },
    },
    {
      does: 'ended tokens are pruned by when they ended',
      on: ['oauth_access_tokens'],
      act: () => place.ports.pruneTokens(place.clock.now()),
    },
    {
      does: 'a browser signs in by email and renews by digest',
      on: ['accounts', 'console_refresh_tokens'],
      async act() {
        const { headers } = await place.signIn()
        await expectOk(place.post('/console/api/refresh-token', { headers }))
      },
    },
    {
      does: 'a page of apps is that of its workspace, tags with it',
      on: ['apps', 'tenants', 'tags', 'tag_bindings', 'accounts'],
      act: async () => {
        const token = await mintOwn(place)
        const page = `${API}/apps?workspace_id=${place.owner.workspaceId}`
        for (const filter of ['', '&name=assistant', '&tag=mine', `&name=${appId}`]) {
          await expectOk(place.get(page + filter, { token }))
        }
      },
    },
    {
      does: 'what an external person may use is found by access mode and grant, its total kept ready',
      on: ['apps', 'app_access', 'tenants'],
      async act() {
        const grants = [{ type: 'email' as const, value: 'e7' }]
        for (const filter of [{}, { mode: 'workflow' as const }, { name: 'App 7' }, { name: appId }]) {
          await place.ports.appAccess.open(grants, { page: 1, limit: 20, ...filter })
        }
      },
    },
    {
      does: 'members are listed and changed by their workspace',
      on: ['tenant_account_joins', 'accounts', 'tenants'],
      async act() {
        const { accountId, workspaceId } = place.owner
        await place.ports.members.list(workspaceId, { page: 1, limit: 20 })
        await place.ports.members.find(workspaceId, accountId)
        const request = { workspaceId, actorId: accountId, targetId: place.ports.newId(), atMs: place.clock.now() }
        await place.ports.members.change(request, () => ({ result: null, write: { kind: 'remove' } as const }))
      },
    },
    {
      does: 'tags are listed, made and bound by their workspace',
      on: ['tags', 'tag_bindings', 'apps'],
      async act() {
        const { accountId, workspaceId } = place.owner
        const atMs = place.clock.now()
        const tag = { id: place.ports.newId(), workspaceId, name: 'planned', createdBy: accountId, createdAtMs: atMs }
        const { id } = await place.ports.tags.put(tag)
        await place.ports.tags.list(workspaceId, 'plan')
        await place.ports.tags.bind(workspaceId, appId, [id], { accountId, atMs })
      },
    },
    {
      does: 'an app is described by its id',
      on: ['apps', 'app_definitions'],
      act: async () => expectOk(place.get(`${API}/apps/${appId}/describe`, { token: await mintOwn(place) })),
    },
    {
      does: 'a chat goes on by its conversation’s id',
      on: ['conversations', 'messages', 'workflow_runs', 'app_definitions'],
      async act() {
        const token = await mintOwn(place)
        const { json } = await chat(token)
        await expectOk(chat(token, json.conversation_id))
      },
    },
    {
      does: 'runs under way are renewed by their ids, those left behind found among the running',
      on: ['workflow_runs'],
      async act() {
        await place.ports.runs.renew([place.ports.newId()])
        await place.ports.runs.endAbandoned(place.clock.now(), 60_000)
      },
    },
    {
      does: 'the audit log is read from an instant on',
      on: ['audit_events'],
      async act() {
        const sinceMs = place.clock.now()
        await place.ports.readAudit({ sinceMs, event: null, limit: 100 })
        await place.ports.readAudit({ sinceMs, event: 'oauth.token_expired', limit: 100 })
      },
    },
    {
      does: 'an external person’s groups, block and tokens are found by email and issuer',
      on: ['external_subjects', 'oauth_access_tokens'],
      async act() {
        const { externals } = place.ports
        await externals.groups('https://idp.example', 'e7')
        await externals.isBlocked('https://idp.example', 'e7')
        await externals.emailsOf('https://idp.example', 'sub7')
        await externals.revokeTokens('e7', null, place.clock.now())
      },
    },
    {
      does: 'a person’s tokens and sign-ins are ended by the person’s id',
      on: ['accounts', 'oauth_access_tokens', 'console_refresh_tokens'],
      async act() {
        const { accountId } = await place.addMember('leaver@example.test')
        await place.ports.lifecycle.changeStatus(accountId, ['active'], 'banned')
        await place.ports.lifecycle.revokeTokens(accountId, place.clock.now())
        await place.ports.lifecycle.endSignIns(accountId)
      },
    },
  ]
  for (const { does, on, act } of acts) {
    it(`${does}: no table is read from end to end`, async () => {
      const { scanned, named } = await tablesIn(act)
      expect(named).to.include.members(on)
      expect(scanned).to.deep.equal([])
    })
  }
})
