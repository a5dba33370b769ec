import { expect } from 'chai'
import { OWNER } from '../support/world.ts'
import { said } from './flow.ts'
import { aVisitor, heading, leadsTo } from './pages-visitor.ts'
import { aPlace, type Place } from './place.ts'

const INIT_PASSWORD = 'open sesame'
const PERSON = { email: 'first@example.test', name: 'Frida', password: 'a good one 1' }

describe('INIT_PASSWORD', () => {
  let place: Place
  beforeEach(async () => {
    place = await aPlace({ settings: { initPassword: INIT_PASSWORD } })
    await place.edit.forgetSetUp()
  })
  afterEach(() => place.close())

  const init = (password: string) => place.post('/console/api/init', { json: { password } })
  const setUp = (cookie = '') => place.post('/console/api/setup', { json: PERSON, headers: { Cookie: cookie } })
  const status = async (cookie = '') => (await place.get('/console/api/init', { headers: { Cookie: cookie } })).json
  const passOf = async () => (await init(INIT_PASSWORD)).headers.getSetCookie()[0]?.split(';')[0] ?? ''

  it('M01 nobody sets the server up without it', async () => {
    expect(await status()).to.deep.equal({ status: 'not_started' })
    expect(said(await setUp())).to.equal('401 not_init_validated')
    expect(await place.cases.owner()).to.equal(null)
  })

  it('M01 whoever knows it gets a cookie that scripts cannot read, and sets the server up once', async () => {
    const reply = await init(INIT_PASSWORD)
    expect([reply.status, reply.text]).to.deep.equal([201, '{"result":"success"}'])
    const [line = '', ...others] = reply.headers.getSetCookie()
    expect(others).to.deep.equal([])
    expect(line).to.match(/^init_token=[^;]+; Path=\/; Max-Age=3600; SameSite=Lax; HttpOnly$/)
    const [cookie = ''] = line.split(';')
    expect(await status(cookie)).to.deep.equal({ status: 'finished' })
    expect((await setUp(cookie)).status).to.equal(201)
    expect(said(await setUp(cookie))).to.equal('403 already_setup')
    expect(await status()).to.deep.equal({ status: 'finished' })
    expect(said(await init(INIT_PASSWORD))).to.equal('403 already_setup')
  })

  it('a wrong one is refused, and the sixth guess has to wait, the right one too', async () => {
    for (let guess = 0; guess < 5; guess++) {
      const reply = await init(`${INIT_PASSWORD}${guess}`)
      expect(said(reply)).to.equal('401 init_validate_failed')
      expect(reply.headers.getSetCookie()).to.deep.equal([])
    }
    expect(said(await init(INIT_PASSWORD))).to.equal('429 rate_limited')
    place.clock.advance(15 * 60_000)
    expect((await init(INIT_PASSWORD)).status).to.equal(201)
  })

  it('the pass ends after an hour, and no other cookie stands in for it', async () => {
    const cookie = await passOf()
    const session = { accountId: place.owner.accountId, family: 'f' }
    for (const token of [
      'x',
      await place.ports.consoleTokens.signCsrf(session, place.clock.now() + 60_000),
      await place.ports.consoleTokens.signAccess({ accountId: 'set-up', family: 'set-up' }, place.clock.now() + 60_000),
    ]) {
      expect(said(await setUp(`init_token=${token}`))).to.equal('401 not_init_validated')
    }
    place.clock.advance(3_600_000)
    expect(said(await setUp(cookie))).to.equal('401 not_init_validated')
  })

  it('the pass is nobody’s CSRF token', async () => {
    const pass = (await passOf()).replace('init_token=', '')
    expect((await setUp(`init_token=${pass}`)).status).to.equal(201)
    const { cookie } = await place.signIn(PERSON.email, PERSON.password)
    const headers = { Cookie: cookie.replace(/csrf_token=[^;]+/, `csrf_token=${pass}`), 'X-CSRF-Token': pass }
    expect(said(await place.post('/console/api/logout', { headers }))).to.equal('401 csrf_mismatch')
  })

  it('the page asks for it, and says when it is wrong', async () => {
    const visitor = aVisitor(place)
    expect((await visitor.open('/install')).text).to.contain('name="init_password"')
    const wrong = await visitor.submit('/install', { ...PERSON, init_password: 'guess' })
    expect(wrong.status).to.equal(401)
    expect(wrong.text).to.contain('The set-up password is wrong.').and.contain('name="init_password"')
    expect(await place.cases.owner()).to.equal(null)
    expect(leadsTo(await visitor.submit('/install', { ...PERSON, init_password: INIT_PASSWORD }))).to.equal(
      '303 /signin?created=1',
    )
    const again = await visitor.post('/install', { ...OWNER, init_password: INIT_PASSWORD })
    expect(`${again.status} ${heading(again)}`).to.equal('403 Already set up')
  })

  it('without one the page and the API ask for none', async () => {
    const open = await aPlace()
    await open.edit.forgetSetUp()
    expect((await aVisitor(open).open('/install')).text).not.to.contain('init_password')
    expect((await open.get('/console/api/init')).json).to.deep.equal({ status: 'finished' })
    expect((await open.post('/console/api/setup', { json: PERSON })).status).to.equal(201)
    await open.close()
  })
})
