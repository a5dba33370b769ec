import { expect } from 'chai'
import sinon from 'sinon'
import { cacheKey } from '#adapters/redis/cache-entry.ts'
import { ACCOUNT_TOKEN } from '#domain/token-kind.ts'
import { chatFile } from '../http/app-files.ts'
import { flowOf, said } from '../http/flow.ts'
import { onServices } from '../http/on-services.ts'
import { API, aPlace, aToken, mintOwn, type Place } from '../http/place.ts'
import { countWrites } from '../support/socket-writes.ts'
import type { Reply } from '../support/world.ts'

const ID = '018f0000-0000-7000-8000-000000000000'

type Sealed = { readonly v: 1; readonly ephemeral: string; readonly box: string }

onServices((name, options) => {
  describe(`what ${name} are asked and hold`, () => {
    let place: Place
    let token: string

    beforeEach(async () => {
      place = await aPlace({ ...options, settings: { bearer: { enabled: true, perMinute: 60 } } })
      token = await mintOwn(place)
    })
    afterEach(async () => {
      sinon.restore()
      await place.close()
    })

    const services = () => {
      if (place.services === null) throw new Error('this suite runs on services')
      return place.services
    }
    const redis = () => services().redis.client
    const keyOf = (bearer: string) => cacheKey(services().prefix, place.ports.digest(bearer))
    const workspaces = (bearer = token) => place.get(`${API}/workspaces`, { token: bearer })

    /** Writes to Redis and statements to PostgreSQL while `work` runs. */
    async function costOf(work: () => Promise<unknown>): Promise<{ writes: number; statements: readonly string[] }> {
      const client = redis()
      if (!('stream' in client)) throw new Error('not a single server')
      const writes = countWrites(client.stream)
      const connection = services().orm.em.getConnection()
      const execute = sinon.spy(connection, 'execute')
      await work()
      const cost = { writes: writes.count(), statements: execute.args.map(([statement]) => String(statement)) }
      writes.stop()
      execute.restore()
      return cost
    }

    it('B15 a warm authenticated request is one write to Redis and no SQL', async () => {
      const cold = await costOf(() => workspaces())
      expect(cold.statements.length).to.be.greaterThan(0)
      expect(await costOf(() => workspaces())).to.deep.equal({ writes: 1, statements: [] })
    })

    it('B15 so are the account with its two limits, one workspace, a refusal and a dead token', async () => {
      const ask = (path: string, bearer = token) => place.get(API + path, { token: bearer })
      const unknown = aToken(ACCOUNT_TOKEN)
      const asks: Readonly<Record<string, () => Promise<Reply>>> = {
        account: () => ask('/account'),
        workspace: () => ask(`/workspaces/${place.owner.workspaceId}`),
        'somebody else’s workspace': () => ask(`/workspaces/${place.ports.newId()}`),
        'a workspace with a kept verdict': () => ask(`/apps?workspace_id=${ID}`),
        'a token that nobody was given': () => ask('/account', unknown),
      }
      for (const [what, one] of Object.entries(asks)) {
        const { status } = await one()
        expect(await costOf(async () => expect((await one()).status).to.equal(status)), what).to.deep.equal({
          writes: 1,
          statements: [],
        })
      }
    })

    it('B15 a request over its limit is one write to Redis and no SQL, once the hit is recorded', async () => {
      for (let call = 0; call < 61; call++) await workspaces()
      expect(await costOf(async () => expect((await workspaces()).status).to.equal(429))).to.deep.equal({
        writes: 1,
        statements: [],
      })
    })

    it('G15 an empty page of apps looks no workspace up', async () => {
      const list = () => place.get(`${API}/apps?workspace_id=${place.owner.workspaceId}`, { token })
      await list()
      const empty = await costOf(list)
      expect(empty.statements).to.have.length(1)
      expect(empty.statements[0]).to.not.match(/tenants/)
      await place.addApp(chatFile())
      expect((await costOf(list)).statements.join()).to.match(/tenants/)
    })

    it('B16 a positive entry lives 60 s, a miss 10 s, a revoked token 60 s', async () => {
      const lifeOf = async (bearer: string) => Math.ceil((await redis().pttl(keyOf(bearer))) / 1000)
      await workspaces()
      expect(await lifeOf(token)).to.be.within(55, 60)
      const unknown = aToken(ACCOUNT_TOKEN)
      await workspaces(unknown)
      expect(await lifeOf(unknown)).to.be.within(5, 10)
      await place.delete(`${API}/account/sessions/self`, { token })
      expect(await lifeOf(token)).to.be.within(55, 60)
      expect(await redis().get(keyOf(token))).to.equal('invalid')
    })

    it('B17 a malformed entry is a miss: the database answers', async () => {
      await workspaces()
      const good = JSON.parse((await redis().get(keyOf(token))) ?? '{}')
      const other = await mintOwn(place, { label: 'other' })
      const malformed = {
        empty: '',
        noise: 'xx',
        'not an object': '[]',
        'no scopes': JSON.stringify({ ...good, scopes: undefined }),
        'made-up scope': JSON.stringify({ ...good, scopes: ['root'] }),
        'no end': JSON.stringify({ ...good, expiresAtMs: null }),
        // Copied from another token's key: it must not lend its identity.
        'of another token': JSON.stringify({ ...good, tokenHash: place.ports.digest(other) }),
      }
      for (const [what, entry] of Object.entries(malformed)) {
        await redis().set(keyOf(token), entry)
        const find = sinon.spy(place.ports.tokens, 'findByHash')
        expect((await workspaces()).status, what).to.equal(200)
        expect(find.callCount, what).to.equal(1)
        find.restore()
      }
    })

    it('C01 recording a verdict is a no-op on a malformed entry', async () => {
      await workspaces()
      await redis().set(keyOf(token), '{"cacheEntryId":"e"}')
      await place.ports.cache.recordVerdict(place.ports.digest(token), 'e', place.owner.workspaceId, true)
      expect(await redis().get(keyOf(token))).to.equal('{"cacheEntryId":"e"}')
    })

    it('C02 recording a verdict keeps the remaining time to live', async () => {
      await workspaces()
      await redis().pexpire(keyOf(token), 20_000)
      await place.get(`${API}/apps?workspace_id=${place.owner.workspaceId}`, { token })
      expect(await redis().get(keyOf(token))).to.contain(`"${place.owner.workspaceId}":true`)
      expect(await redis().pttl(keyOf(token))).to.be.within(1, 20_000)
    })

    it('C12 a stored verdict that is not a boolean counts as unknown', async () => {
      await workspaces()
      const entry = JSON.parse((await redis().get(keyOf(token))) ?? '{}')
      const foreign = place.ports.newId()
      for (const verdict of ['true', 1, {}]) {
        await redis().set(keyOf(token), JSON.stringify({ ...entry, verifiedWorkspaces: { [foreign]: verdict } }))
        const reply = await place.get(`${API}/apps?workspace_id=${foreign}`, { token })
        expect(said(reply)).to.equal('403 workspace_membership_revoked')
      }
    })

    it('E19 a flow that was spoilt in Redis is expired to its terminal, unknown to its person, and logged', async () => {
      const flow = flowOf(place)
      const browser = await place.signIn()
      const { deviceCode, userCode } = await place.startFlow()
      const [key = ''] = await redis().keys(`${services().prefix}flow:*`)
      const good = (await redis().get(key)) ?? ''
      for (const spoilt of ['', 'x', '{}', '[]', good.slice(1), good.replace('"pending"', '"granted"')]) {
        await redis().set(key, spoilt)
        const before = place.logLines.length
        expect(said(await flow.poll(deviceCode)), spoilt).to.equal('400 expired_token')
        expect((await flow.lookUp(userCode)).json).to.deep.include({ valid: false, client_id: null })
        expect(said(await flow.decide('approve', userCode, browser)), spoilt).to.equal('404 expired_or_unknown')
        const logged = place.logLines.slice(before).filter(({ level }) => level === 'error')
        expect(
          logged.map(({ message }) => message),
          spoilt,
        ).to.include('stored device flow is unreadable')
      }
    })

    /** Every key and value of this place in Redis, and every row of every table, as text. */
    async function dump(): Promise<string[]> {
      const texts: string[] = []
      const client = redis()
      for (const key of await client.keys(`${services().prefix}*`)) {
        const type = await client.type(key)
        texts.push(key)
        if (type === 'string') texts.push((await client.get(key)) ?? '')
        else if (type === 'zset') texts.push(...(await client.zrange(key, '0', '-1')))
        else throw new Error(`no reader for a ${type}`)
      }
      const connection = services().orm.em.getConnection()
      const tables = await connection.execute<{ name: string }[]>(
        `select quote_ident(tablename) as name from pg_tables where schemaname = 'public'`,
      )
      for (const { name: table } of tables) {
        const rows = await connection.execute<{ row: string }[]>(`select row_to_json(t)::text as row from ${table} t`)
        texts.push(...rows.map(({ row }) => row))
      }
      return texts
    }

    it('E16 no dump of the stores between approve and poll yields the token or the device code', async () => {
      const { deviceCode, userCode } = await place.startFlow('to be dumped')
      await flowOf(place).decide('approve', userCode, await place.signIn())
      const texts = await dump()
      const picked = (await flowOf(place).poll(deviceCode)).json.token
      expect(picked).to.match(/^dfoa_/)

      const everything = texts.join('\n')
      expect(everything).to.contain('to be dumped')
      for (const secret of [picked, deviceCode, picked.slice(5), deviceCode.slice(3)]) {
        for (const encoding of ['utf8', 'base64', 'base64url', 'hex'] as const) {
          expect(everything).to.not.contain(Buffer.from(secret).toString(encoding).replace(/=+$/, ''))
        }
      }
      const strings = new Set(texts.flatMap((text) => [text, ...leaves(text).strings]))
      const sealed = texts.flatMap((text) => leaves(text).sealed)
      expect(sealed).to.have.length(1)
      for (const box of sealed) {
        expect(place.ports.seal.open(box, deviceCode)).to.equal(picked)
        for (const key of strings) expect(place.ports.seal.open(box, key)).to.equal(null)
      }
    })
  })
})

/** Every string and every sealed box inside a JSON text; nothing when it is none. */
function leaves(text: string): { strings: string[]; sealed: Sealed[] } {
  const found = { strings: [] as string[], sealed: [] as Sealed[] }
  const visit = (value: unknown): void => {
    if (typeof value === 'string') found.strings.push(value)
    if (typeof value !== 'object' || value === null) return
    // A box is told by its parts, wherever it lies.
    if ('ephemeral' in value && 'box' in value) found.sealed.push(value as Sealed)
    for (const [key, one] of Object.entries(value)) {
      found.strings.push(key)
      visit(one)
    }
  }
  if (/^[[{]/.test(text)) visit(JSON.parse(text))
  return found
}
