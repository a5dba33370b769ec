import { expect } from 'chai'
import sinon from 'sinon'
import { makeBuiltInPolicy } from '#application/auth/built-in-policy.ts'
import type { RefreshToken } from '#application/ports/refresh-token-store.ts'
import type { Ports } from '#application/ports.ts'
import type { AuditEventName } from '#domain/audit-event.ts'
import { aBridge } from '../../support/policy.ts'
import { OWNER, type WorldOptions } from '../../support/world.ts'
import { workflowFile } from '../app-files.ts'
import { flowOf } from '../flow.ts'
import { API, aPlace, mintOwn, type Place } from '../place.ts'

const FROM = { 'X-Forwarded-For': '203.0.113.1' }
const ELSEWHERE = { 'X-Forwarded-For': '198.51.100.7' }

/** One event: what it tells, what causes it, and how to see that the cause took effect. */
type Story = {
  readonly facts: readonly string[]
  /** `commit` fails when all is done; otherwise what the cause itself stands on. */
  readonly breaks: 'commit' | ((place: Place) => void)
  /** `families` grows with every sign-in that is written. */
  readonly begin: (
    place: Place,
    families: readonly string[],
  ) => Promise<{
    readonly cause: () => Promise<unknown>
    readonly happened: (outcome: unknown) => Promise<boolean>
  }>
}

const statusOf = (outcome: unknown) => (outcome as { status?: number }).status
const answered = (status: number) => async (outcome: unknown) => statusOf(outcome) === status
const liveTokens = async (place: Place) => (await place.edit.tokenRows()).filter(({ live }) => live).length
const fault = () => new Error('broken by the test')

/** What a poll stands on: the second step takes the grant away. */
function loseTheGrant(place: Place): void {
  const update = sinon.stub(place.ports.flows, 'update')
  update.callThrough().onCall(1).rejects(fault())
}

/** A code that was approved, asked for at one address and polled from another. */
async function approvedElsewhere(place: Place) {
  const { json } = await flowOf(place).code(undefined, FROM)
  await flowOf(place).decide('approve', json.user_code, await place.signIn())
  const poll = () => flowOf(place).poll(json.device_code, 'difyctl', ELSEWHERE)
  return { cause: poll, happened: answered(200) }
}

async function aMember(place: Place) {
  const token = await mintOwn(place)
  const { accountId } = await place.addMember('guest@example.test')
  return { token, accountId, at: `${API}/workspaces/${place.owner.workspaceId}/members/${accountId}` }
}

/** Total: an event without a story does not compile. */
const STORIES: Readonly<Record<AuditEventName, Story>> = {
  'oauth.device_code_issued': {
    facts: ['client_id', 'device_label', 'ip'],
    breaks: (place) => sinon.stub(place.ports.flows, 'insert').rejects(fault()),
    begin: async (place) => ({ cause: () => flowOf(place).code(), happened: answered(200) }),
  },
  'oauth.device_flow_approved': {
    facts: [
      'token_id',
      'subject_type',
      'subject_email',
      'subject_issuer',
      'account_id',
      'tenant_id',
      'client_id',
      'device_label',
      'scopes',
      'expires_at',
      'rotated',
      'ip',
    ],
    breaks: 'commit',
    async begin(place) {
      const browser = await place.signIn()
      const { userCode } = await place.startFlow()
      return {
        cause: () => flowOf(place).decide('approve', userCode, browser),
        happened: async () => (await liveTokens(place)) > 0 || !(await flowOf(place).lookUp(userCode)).json.valid,
      }
    },
  },
  'oauth.device_flow_denied': {
    facts: ['account_id', 'client_id', 'device_label', 'ip'],
    breaks: (place) => sinon.stub(place.ports.flows, 'update').rejects(fault()),
    async begin(place) {
      const browser = await place.signIn()
      const { userCode } = await place.startFlow()
      return {
        cause: () => flowOf(place).decide('deny', userCode, browser),
        happened: async () => !(await flowOf(place).lookUp(userCode)).json.valid,
      }
    },
  },
  'oauth.device_flow_rejected': {
    facts: ['reason', 'client_id', 'ip'],
    breaks: (place) => sinon.stub(place.ports.accounts, 'findByEmail').rejects(fault()),
    async begin(place) {
      const { userCode } = await place.startFlow()
      const person = { email: OWNER.email, issuer: 'https://idp.company.example', userCode }
      return {
        async cause() {
          const sealed = await place.ports.sealer.sealAssertion({ ...person, nonce: place.ports.newId() })
          return place.get(`${API}/oauth/device/sso-complete?sso_assertion=${encodeURIComponent(sealed)}`)
        },
        happened: answered(302),
      }
    },
  },
  'oauth.device_code_cross_ip_poll': {
    facts: ['token_id', 'creation_ip', 'poll_ip'],
    breaks: loseTheGrant,
    begin: approvedElsewhere,
  },
  'oauth.token_picked_up': { facts: ['token_id', 'client_id', 'ip'], breaks: loseTheGrant, begin: approvedElsewhere },
  'oauth.token_revoked': {
    facts: ['token_id', 'subject_type', 'account_id', 'reason'],
    breaks: 'commit',
    async begin(place) {
      const token = await mintOwn(place)
      return {
        cause: () => place.delete(`${API}/account/sessions/self`, { token }),
        happened: async () => (await liveTokens(place)) === 0,
      }
    },
  },
  'oauth.token_expired': {
    facts: ['token_id'],
    breaks: 'commit',
    async begin(place) {
      const token = await mintOwn(place, { lifeMs: 1000 })
      place.clock.advance(1000)
      return {
        cause: () => place.get(`${API}/workspaces`, { token }),
        happened: async () => (await liveTokens(place)) === 0,
      }
    },
  },
  'console.login': {
    facts: ['account_id', 'ip'],
    breaks: 'commit',
    async begin(place, families) {
      const before = families.length
      return {
        cause: () => place.post('/console/api/login', { json: { email: OWNER.email, password: OWNER.password } }),
        happened: async (outcome) => {
          const live = families
            .slice(before)
            .map((family) =>
              place.ports.refreshTokens.isLive({ family, accountId: place.owner.accountId }, place.clock.now()),
            )
          return statusOf(outcome) === 200 || (await Promise.all(live)).includes(true)
        },
      }
    },
  },
  'console.login_failed': {
    facts: ['account_id', 'ip'],
    breaks: (place) => sinon.stub(place.ports.passwords, 'verify').rejects(fault()),
    begin: async (place) => ({
      cause: () => place.post('/console/api/login', { json: { email: OWNER.email, password: 'wrong pass 1' } }),
      happened: answered(401),
    }),
  },
  'account.status_changed': {
    facts: ['account_id', 'status'],
    breaks: 'commit',
    begin: async (place) => ({
      cause: () => place.cases.changeAccount(OWNER.email, 'ban').catch((error: unknown) => ({ error })),
      happened: async () => (await place.ports.accounts.find(place.owner.accountId))?.status === 'banned',
    }),
  },
  'workspace.member_added': {
    facts: ['tenant_id', 'account_id', 'member_id', 'role'],
    breaks: 'commit',
    async begin(place) {
      const token = await mintOwn(place)
      const { accountId } = await place.addMember('guest@example.test')
      await place.ports.memberships.remove(accountId, place.owner.workspaceId)
      const json = { email: 'guest@example.test', role: 'normal' }
      return {
        cause: () => place.post(`${API}/workspaces/${place.owner.workspaceId}/members`, { token, json }),
        happened: async () => (await place.ports.memberships.list(accountId)).length === 1,
      }
    },
  },
  'workspace.member_role_changed': {
    facts: ['tenant_id', 'account_id', 'member_id', 'role'],
    breaks: 'commit',
    async begin(place) {
      const { token, accountId, at } = await aMember(place)
      return {
        cause: () => place.send('PUT', `${at}/role`, { token, json: { role: 'admin' } }),
        happened: async () => (await place.ports.memberships.list(accountId))[0]?.role === 'admin',
      }
    },
  },
  'workspace.member_removed': {
    facts: ['tenant_id', 'account_id', 'member_id'],
    breaks: 'commit',
    async begin(place) {
      const { token, accountId, at } = await aMember(place)
      return {
        cause: () => place.delete(at, { token }),
        happened: async () => (await place.ports.memberships.list(accountId)).length === 0,
      }
    },
  },
  'app.imported': {
    facts: ['app_id', 'tenant_id', 'account_id', 'mode', 'replaced'],
    breaks: 'commit',
    async begin(place) {
      const token = await mintOwn(place)
      const { workspaceId } = place.owner
      const json = { mode: 'yaml-content', yaml_content: workflowFile() }
      return {
        cause: () => place.post(`${API}/workspaces/${workspaceId}/apps/imports`, { token, json }),
        happened: async () => (await place.ports.apps.search({ workspaceId, page: 1, limit: 1 })).total === 1,
      }
    },
  },
  'app.api_changed': {
    facts: ['app_id', 'tenant_id', 'account_id', 'enabled'],
    breaks: 'commit',
    async begin(place) {
      const appId = await place.addApp(workflowFile())
      const { headers } = await place.signIn()
      return {
        cause: () => place.post(`/console/api/apps/${appId}/api-enable`, { headers, json: { enable_api: false } }),
        happened: async () => (await place.ports.apps.find(appId))?.apiEnabled === false,
      }
    },
  },
  'rate_limit.hit': {
    facts: ['limit', 'ip', 'account_id'],
    breaks: (place) => sinon.stub(place.ports.limiter, 'admit').rejects(fault()),
    async begin(place) {
      for (let call = 0; call < 60; call++) await flowOf(place).lookUp('AAAA-AAAA')
      return { cause: () => flowOf(place).lookUp('AAAA-AAAA'), happened: answered(429) }
    },
  },
  'app.run.openapi': {
    facts: ['app_id', 'tenant_id', 'caller_kind', 'mode', 'surface', 'token_id'],
    breaks: (place) => sinon.stub(place.ports.runner, 'preflight').rejects(fault()),
    async begin(place) {
      const token = await mintOwn(place)
      const appId = await place.addApp(workflowFile())
      return {
        cause: () => place.post(`${API}/apps/${appId}/run`, { token, json: { inputs: {} } }),
        happened: answered(200),
      }
    },
  },
  'openapi.wrong_surface_denied': {
    facts: ['token_id', 'subject_type', 'route'],
    breaks: (place) => sinon.stub(place.ports.limiter, 'admit').rejects(fault()),
    async begin(place) {
      const token = await mintOwn(place)
      return { cause: () => place.get(`${API}/apps/permitted`, { token }), happened: answered(403) }
    },
  },
}

/** Every audit event with its cause: row, log line, and neither without the other, on whatever stores `options` name. */
export function auditSuite(name: string, options: WorldOptions): void {
  describe(`audit events: ${name}`, () => {
    let place: Place
    const settings = { consoleApiUrl: 'https://latchkey.example' }
    let commitFails = false
    let families: string[] = []

    const change = (ports: Ports): Ports => ({
      ...ports,
      bridge: aBridge(),
      policy: makeBuiltInPolicy(ports),
      unitOfWork: (work, how) =>
        ports.unitOfWork(async () => {
          const result = await work()
          if (commitFails) throw fault()
          return result
        }, how),
      refreshTokens: Object.assign(Object.create(ports.refreshTokens), {
        insert(token: RefreshToken) {
          families.push(token.family)
          return ports.refreshTokens.insert(token)
        },
      }),
    })
    beforeEach(async () => {
      commitFails = false
      families = []
      place = await aPlace({ trustedProxies: ['127.0.0.0/8'], settings, change, ...options })
    })
    afterEach(async () => {
      sinon.restore()
      await place.close()
    })

    const linesOf = (event: string) => place.logLines.filter(({ message }) => message === event)

    for (const [event, story] of Object.entries(STORIES)) {
      const rowsOf = () => place.edit.auditRows(event as AuditEventName) // the keys of STORIES are the names

      it(`${event} is one row and one log line with its facts, and no secret in either`, async () => {
        const { cause, happened } = await story.begin(place, families)
        const before = linesOf(event).length
        expect(await happened(await cause())).to.equal(true)
        const [row, ...more] = (await rowsOf()).slice(before)
        expect(more).to.deep.equal([])
        expect(Object.keys(row?.facts ?? {})).to.have.members(story.facts)
        const lines = linesOf(event).slice(before)
        expect(lines).to.deep.equal([{ level: 'info', message: event, facts: { audit: true, event, ...row?.facts } }])
        // Tokens, device codes, digests, user codes.
        expect(JSON.stringify(row?.facts)).to.not.match(/dfo[ae]_|dc_|[0-9a-f]{64}|"[A-Y3-9]{4}-[A-Y3-9]{4}"/)
      })

      it(`${event}: what cannot be recorded does not happen`, async () => {
        const { cause, happened } = await story.begin(place, families)
        const before = (await rowsOf()).length
        const broken = sinon.stub(place.ports.audit, 'append').rejects(fault())
        const outcome = await cause()
        broken.restore()
        if (statusOf(outcome) !== undefined) expect(statusOf(outcome)).to.equal(500)
        expect(await happened(outcome)).to.equal(false)
        expect(await rowsOf()).to.have.length(before)
        expect(await happened(await cause()), 'the second try').to.equal(true)
        expect(await rowsOf()).to.have.length(before + 1)
      })

      it(`${event}: what fails is neither recorded nor logged`, async () => {
        const { cause, happened } = await story.begin(place, families)
        const before = (await rowsOf()).length
        if (story.breaks === 'commit') commitFails = true
        else story.breaks(place)
        const outcome = await cause()
        commitFails = false
        sinon.restore()
        expect(await happened(outcome)).to.equal(false)
        expect(await rowsOf()).to.have.length(before)
        expect(linesOf(event)).to.have.length(before)
      })
    }

    it('of fifty polls that race for one token one is told as a pick-up', async () => {
      const { deviceCode, userCode } = await place.startFlow()
      await flowOf(place).decide('approve', userCode, await place.signIn())
      await Promise.all(Array.from({ length: 50 }, () => flowOf(place).poll(deviceCode)))
      expect(await place.edit.auditRows('oauth.token_picked_up')).to.have.length(1)
      expect(linesOf('oauth.token_picked_up')).to.have.length(1)
    })

    // A workflow needs no reader, so it would go on behind the 500.
    it('a run that could not be recorded is stopped, a workflow too', async () => {
      const token = await mintOwn(place)
      const appId = await place.addApp(workflowFile())
      const stop = sinon.spy(place.ports.runControl, 'stop')
      sinon.stub(place.ports.audit, 'append').rejects(fault())
      const reply = await place.post(`${API}/apps/${appId}/run`, { token, json: { inputs: {} } })
      expect(reply.status).to.equal(500)
      expect(stop.callCount).to.equal(1)
    })
  })
}
