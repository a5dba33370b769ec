import { expect } from 'chai'
import { pageOf } from '#domain/page.ts'
import { ACCOUNT_ISSUER } from '#domain/subject.ts'
import { OWNER } from '../support/world.ts'
import { said } from './flow.ts'
import { API, aPlace, mintExternal, mintOwn, NO_BEARER_LIMIT, type Place } from './place.ts'

const settings = { ...NO_BEARER_LIMIT, decidePerHour: 0 }

describe('sessions', () => {
  let place: Place
  let token: string

  beforeEach(async () => {
    place = await aPlace({ settings })
    token = await mintOwn(place, { label: 'first' })
  })
  afterEach(() => place.close())

  const sessions = (query = '', bearer = token) => place.get(`${API}/account/sessions${query}`, { token: bearer })
  const labels = async (bearer = token) =>
    (await sessions('', bearer)).json.data.map((row: { device_label: string }) => row.device_label)
  const revoke = (id: string, bearer = token) => place.delete(`${API}/account/sessions/${id}`, { token: bearer })
  const idOf = async (bearer: string) => (await place.cases.authenticate(bearer)).tokenId

  it('G04 lists own live rows in the envelope, newest first, one of them current', async () => {
    const createdAt = new Date(place.clock.now()).toISOString()
    const expiresAt = new Date(place.clock.now() + 86_400_000).toISOString()
    await mintOwn(place, { label: 'short', lifeMs: 500 })
    place.clock.advance(1000)
    const revoked = await mintOwn(place, { label: 'revoked' })
    await revoke('self', revoked)
    await mintOwn(place, { label: 'second' })
    await mintExternal(place, OWNER.email)
    const { json } = await sessions()
    expect(json).to.have.all.keys('page', 'limit', 'total', 'has_more', 'data')
    expect(json).to.deep.include({ page: 1, limit: 100, total: 2, has_more: false })
    expect(await labels()).to.deep.equal(['second', 'first'])
    expect(json.data.map(({ current }: { current: boolean }) => current)).to.deep.equal([false, true])
    expect(json.data[1]).to.deep.equal({
      id: await idOf(token),
      prefix: 'dfoa_',
      client_id: 'difyctl',
      device_label: 'first',
      created_at: createdAt,
      last_used_at: null,
      expires_at: expiresAt,
      last_used_ip: null,
      current: true,
    })
  })

  for (const query of [
    'page=0',
    'page=-3',
    'page=abc',
    'page=',
    'page=1.5',
    'page=1e3',
    'limit=0',
    'limit=-1',
    'limit=x',
  ]) {
    it(`G05 ?${query} is a 422 that names the field and not the value`, async () => {
      const reply = await sessions(`?${query}`)
      expect(reply.status).to.equal(422)
      expect(JSON.parse(reply.json.message)).to.deep.equal(reply.json.details)
      expect(reply.json.details.map(({ loc }: { loc: string[] }) => loc)).to.deep.equal([[query.split('=')[0]]])
    })
  }

  it('G05 a limit above 200 is served and told as 200', async () => {
    for (let row = 0; row < 201; row++) await mintOwn(place, { label: `row ${row}` })
    const { json } = await sessions('?limit=999')
    expect(json).to.deep.include({ limit: 200, total: 202, has_more: true })
    expect(json.data).to.have.length(200)
    expect((await sessions('?limit=999&page=2')).json.data).to.have.length(2)
  })

  it('G06 revoking oneself works once, and the token is dead at the next request', async () => {
    expect((await revoke('self')).text).to.equal('{"status":"revoked"}')
    expect(said(await sessions())).to.equal('401 invalid_bearer')
    expect(await place.edit.auditRows('oauth.token_revoked')).to.have.length(1)
  })

  it('G06 revoking by id works, and repeating it is fine', async () => {
    const other = await mintOwn(place, { label: 'other' })
    const id = await idOf(other)
    for (let call = 0; call < 2; call++) expect(said(await revoke(id))).to.equal('200 revoked')
    expect(said(await sessions('', other))).to.equal('401 invalid_bearer')
    expect(await labels()).to.deep.equal(['first'])
    expect(await place.edit.auditRows('oauth.token_revoked')).to.have.length(1)
  })

  it('G06 foreign, unknown and impossible ids are the same 404, and nobody is logged out', async () => {
    await place.addMember('mia@example.test')
    const mia = await place.login({ browser: await place.signIn('mia@example.test'), label: 'mia' })
    const answers = []
    for (const id of [mia.tokenId, place.ports.newId(), 'not-a-uuid', '0']) answers.push(await revoke(id))
    for (const reply of answers) {
      expect(reply.status).to.equal(404)
      // An answer that differed would tell which ids exist.
      expect(reply.text).to.equal(answers[0]?.text)
    }
    expect(answers[0]?.json.message).to.equal('session not found')
    expect(await labels(mia.token)).to.deep.equal(['mia'])
  })

  it('G07 an external subject never reaches an account’s rows with its email, nor the other way', async () => {
    // Even an identity provider that calls itself what account rows carry as their issuer.
    for (const issuer of ['https://idp.partner.example', ACCOUNT_ISSUER]) {
      const external = await mintExternal(place, OWNER.email, issuer, issuer)
      expect(await labels(external)).to.deep.equal([issuer])
      expect(await labels()).to.deep.equal(['first'])
      expect((await revoke(await idOf(token), external)).status).to.equal(404)
      expect((await revoke(await idOf(external))).status).to.equal(404)
    }
  })

  it('G08 there is more exactly while page times limit is below the total', () => {
    const more = (page: number, limit: number, total: number) => pageOf({ page, limit }, total, []).hasMore
    expect([more(1, 20, 42), more(2, 20, 22), more(2, 20, 40), more(3, 20, 42), more(1, 20, 0)]).to.deep.equal([
      true,
      false,
      false,
      false,
      false,
    ])
  })
})
