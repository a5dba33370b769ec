import { expect } from 'chai'
import { sha256Hex } from '#adapters/crypto/digest.ts'
import { newId } from '#adapters/crypto/ids.ts'
import { type Orm, openPostgres } from '#adapters/postgres/open-orm.ts'
import { openStores } from '#adapters/postgres/opening.ts'
import { ACCOUNT_TOKEN } from '#domain/token-kind.ts'
import { sqlEdit } from '../http/edit.ts'
import { API, aToken } from '../http/place.ts'
import { type CuttingProxy, openCuttingProxy } from '../support/cutting-proxy.ts'
import { dropTemplate } from '../support/databases.ts'
import { openReplicas, type Replica, type Replicas, replicaSuite, setUp } from '../support/replicas.ts'
import { services } from '../support/services.ts'
import { type Browser, type Login, OWNER, type Reply } from '../support/world.ts'

const MIA = { email: 'mia@example.test', name: 'Mia', password: 'correct horse 2' }
const RACES = 150

type Person = { readonly id: string; readonly workspaceId: string }

/** Two server processes: what happens at `a` holds at `b`'s next request, although `b` had the answer in its hands. */
replicaSuite('two replicas', function () {
  this.timeout(60_000)
  let replicas: Replicas
  let a: Replica
  let b: Replica
  /** Between `b` and PostgreSQL. */
  let proxy: CuttingProxy
  let orm: Orm
  let browser: Browser
  let owner: Person
  let mia: Person

  before(async () => {
    replicas = await openReplicas()
    proxy = await openCuttingProxy(services.postgres ?? '')
    const around = new URL(replicas.databaseUrl)
    around.host = `127.0.0.1:${proxy.port}`
    ;[a, b] = await Promise.all([replicas.start(), replicas.start({ DATABASE_URL: around.href })])
    orm = await openPostgres({ url: replicas.databaseUrl })
    await setUp(a)
    browser = await a.signIn()
    const words = ['account', 'create', '--email', MIA.email, '--name', MIA.name]
    expect(await replicas.command(words, MIA.password)).to.equal(0)
    ;[owner, mia] = [await personOf(OWNER.email), await personOf(MIA.email)]
  })
  after(async () => {
    await orm.close()
    await replicas.close()
    await proxy.cut()
    await dropTemplate()
  })

  const run = <Row>(statement: string, ...parameters: string[]) => orm.em.fork().execute<Row[]>(statement, parameters)

  async function personOf(email: string): Promise<Person> {
    const [person] = await run<Person>(
      `select a.id, j.tenant_id as "workspaceId" from accounts a join tenant_account_joins j on j.account_id = a.id
        where a.email = ?`,
      email,
    )
    if (person === undefined) throw new Error(`${email} is in no workspace`)
    return person
  }

  /** A token that no replica has seen, without the detour over a browser. */
  async function mint(accountId: string, email: string, deviceLabel: string): Promise<string> {
    const token = aToken(ACCOUNT_TOKEN)
    await openStores(orm).tokens.mint({
      id: newId(),
      subject: { type: 'account', accountId, email },
      clientId: 'difyctl',
      deviceLabel,
      prefix: ACCOUNT_TOKEN.prefix,
      tokenHash: sha256Hex(token),
      createdAtMs: Date.now(),
      expiresAtMs: Date.now() + 3_600_000,
    })
    return token
  }

  const login = (label: string): Promise<Login> => a.login({ label, browser })
  const statusAt = async (replica: Replica, token: string) => (await replica.get(`${API}/workspaces`, { token })).status

  const ends: Record<string, (held: Login) => Promise<Reply>> = {
    'by its holder': ({ token }) => a.delete(`${API}/account/sessions/self`, { token }),
    'by another session of the person': async ({ tokenId }) =>
      a.delete(`${API}/account/sessions/${tokenId}`, { token: (await login('other')).token }),
    'at the revocation endpoint': ({ token }) => a.post(`${API}/oauth/revoke`, { form: { token } }),
  }
  for (const [how, end] of Object.entries(ends)) {
    it(`B19 a token revoked ${how} at one is dead at the other at once`, async () => {
      const held = await login('laptop')
      for (const _ of [1, 2]) expect(await statusAt(b, held.token)).to.equal(200)
      expect(await end(held)).to.have.property('status', 200)
      expect(await statusAt(b, held.token)).to.equal(401)
      expect(await statusAt(b, (await login('laptop')).token)).to.equal(200)
    })
  }

  it('B19 a device that signs in again at one ends its old token at the other', async () => {
    const old = await login('tablet')
    expect(await statusAt(b, old.token)).to.equal(200)
    const next = await login('tablet')
    expect(next.tokenId).to.equal(old.tokenId)
    expect(await statusAt(b, old.token)).to.equal(401)
    expect(await statusAt(b, next.token)).to.equal(200)
  })

  // Protects against a reader from before the revoke: its refill must not bring the token back for a minute.
  it('B19 a replica that read the row before the revoke cannot cache it after', async () => {
    const { token } = await login('racer')
    const held = proxy.hold('from oauth_access_tokens')
    const reading = statusAt(b, token)
    await held.caught
    expect((await a.delete(`${API}/account/sessions/self`, { token })).status).to.equal(200)
    held.release()
    // This request was there first. The next was not.
    expect(await reading).to.equal(200)
    expect(await statusAt(b, token)).to.equal(401)
    expect(await statusAt(a, token)).to.equal(401)
  })

  it(`B19 ${RACES} races of a revoke at one against requests at both leave no token alive`, async () => {
    for (let race = 0; race < RACES; race++) {
      const token = await mint(owner.id, OWNER.email, `race ${race}`)
      const early = [b, a, b].map((replica) => statusAt(replica, token))
      const revoking = a.post(`${API}/oauth/revoke`, { form: { token } })
      const late = [b, b].map((replica) => statusAt(replica, token))
      expect((await revoking).status).to.equal(200)
      expect(await statusAt(b, token), `race ${race}`).to.equal(401)
      for (const status of await Promise.all([...early, ...late])) expect(status).to.be.oneOf([200, 401])
      expect(await statusAt(b, token), `race ${race}, once all had been answered`).to.equal(401)
    }
  })

  it('B19 banning a person by command ends their tokens and browsers at every replica', async () => {
    const [token, browsing] = [await mint(mia.id, MIA.email, 'banned'), await a.signIn(MIA.email, MIA.password)]
    const profile = () => b.get('/console/api/account/profile', { headers: browsing.headers })
    expect([await statusAt(b, token), (await profile()).status]).to.deep.equal([200, 200])
    expect(await replicas.command(['account', 'ban', MIA.email])).to.equal(0)
    expect([await statusAt(b, token), (await profile()).status]).to.deep.equal([401, 401])
    expect(await replicas.command(['account', 'unban', MIA.email])).to.equal(0)
    expect(await statusAt(b, token)).to.equal(401)
  })

  describe('C11 a membership', () => {
    let second: string
    let token: string
    /** The owner's: who takes people in and out. */
    let ownToken: string

    beforeEach(async () => {
      second = await sqlEdit(orm.em).addWorkspace({ name: 'Second', accountId: owner.id, createdAtMs: Date.now() })
      // Not by a route: what a change forgets is not cached again for seconds, and these tests need a warm entry.
      await run(
        `insert into tenant_account_joins (account_id, tenant_id, role, created_at) values (?, ?, 'normal', now())`,
        mia.id,
        second,
      )
      token = await mint(mia.id, MIA.email, second)
      ownToken = await mint(owner.id, OWNER.email, second)
    })

    const appsAt = async (replica: Replica) =>
      (await replica.get(`${API}/apps?workspace_id=${second}`, { token })).status
    const namesAt = async (replica: Replica) => {
      const { json } = await replica.get(`${API}/workspaces`, { token })
      return json.workspaces.map(({ id }: { id: string }) => id)
    }
    const members = () => `${API}/workspaces/${second}/members`
    async function leave(): Promise<void> {
      const { status } = await a.delete(`${members()}/${mia.id}`, { token: ownToken })
      expect(status).to.equal(200)
    }
    async function join(): Promise<void> {
      const { status } = await a.post(members(), { token: ownToken, json: { email: MIA.email, role: 'normal' } })
      expect(status).to.equal(201)
    }
    async function switchTo(workspaceId: string): Promise<void> {
      const { status } = await a.post(`${API}/workspaces/${workspaceId}/switch`, { token })
      expect(status).to.equal(200)
    }

    it('removed at one is gone at the other at its next request, added it is there again', async () => {
      expect([await appsAt(b), await appsAt(b)]).to.deep.equal([200, 200])
      expect(await namesAt(b)).to.include(second)
      await leave()
      expect([await appsAt(b), await appsAt(b)]).to.deep.equal([403, 403])
      expect(await namesAt(b)).to.not.include(second)
      await join()
      expect(await appsAt(b)).to.equal(200)
      expect(await namesAt(b)).to.include(second)
    })

    it('switched at one is the default at the other at its next request', async () => {
      const current = async () => (await b.get(`${API}/account`, { token })).json.default_workspace_id
      await current()
      for (const id of [second, mia.workspaceId]) {
        await switchTo(id)
        expect(await current()).to.equal(id)
      }
    })

    // Protects against a verdict from before the removal: recorded after it, it would let the person in for a minute.
    it('removed while the other replica had just found it is not recorded', async () => {
      expect(await namesAt(b)).to.include(second)
      const held = proxy.hold('from tenant_account_joins')
      const asking = appsAt(b)
      await held.caught
      await leave()
      held.release()
      expect(await asking).to.equal(200)
      expect(await appsAt(b)).to.equal(403)
      expect(await namesAt(b)).to.not.include(second)
    })

    it('added while the other replica had just missed it is not shut out', async () => {
      await run('delete from tenant_account_joins where account_id = ? and tenant_id = ?', mia.id, second)
      expect(await namesAt(b)).to.not.include(second)
      const held = proxy.hold('from tenant_account_joins')
      const asking = appsAt(b)
      await held.caught
      await join()
      held.release()
      expect(await asking).to.equal(403)
      expect(await appsAt(b)).to.equal(200)
    })

    // The rows of the whole context, rather than a verdict: nothing is cached when this request begins.
    it('removed while the other replica was filling its cache is not cached', async () => {
      const held = proxy.hold('from tenant_account_joins')
      const asking = namesAt(b)
      await held.caught
      await leave()
      held.release()
      expect(await asking).to.include(second)
      expect(await namesAt(b)).to.not.include(second)
      expect(await appsAt(b)).to.equal(403)
    })
  })
})
