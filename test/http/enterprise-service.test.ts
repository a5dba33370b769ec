import { expect } from 'chai'
import { says } from '../support/enterprise-service.ts'
import { chatFile } from './app-files.ts'
import { anEnterprisePlace, type EnterprisePlace, EVE, ORIGIN } from './enterprise-place.ts'
import { said } from './flow.ts'
import { API } from './place.ts'

const DEVICE = `${API}/oauth/device`

describe('the remote Enterprise service', () => {
  let place: EnterprisePlace
  beforeEach(async () => {
    place = await anEnterprisePlace()
  })
  afterEach(() => place.close())

  for (const [info, isOn] of [
    [{ License: { status: 'active' } }, false],
    [{ License: { status: 'active' }, WebAppAuth: null }, false],
    [{ License: { status: 'active' }, WebAppAuth: {} }, false],
    [{ License: { status: 'active' }, WebAppAuth: { enabled: false } }, false],
    [{ License: { status: 'lost' }, WebAppAuth: { enabled: true } }, true],
  ] as const) {
    it(`D04 web-app auth is ${isOn ? 'on' : 'off'} when the service says ${JSON.stringify(info)}`, async () => {
      place.service.on('GET /info', says(info))
      place.service.on('GET /webapp/access-mode/id', says({ accessMode: 'public' }))
      expect(said(await place.run(place.external))).to.equal(isOn ? '200 ok' : '403 subject_no_app_access')
      expect((await place.run(place.account)).status, 'a member').to.equal(200)
      expect(place.service.heardOn('GET /webapp/access-mode/id')).to.have.length(isOn ? 2 : 0)
    })
  }

  it('asks about a private app with the account’s id, once, and does as told', async () => {
    for (const result of [true, false]) {
      place.service.on('GET /webapp/permission', says({ result }))
      expect(said(await place.run(place.account))).to.equal(result ? '200 ok' : '403 subject_no_app_access')
    }
    const expected = { userId: place.owner.accountId, appId: place.appId }
    expect(place.service.heardOn('GET /webapp/permission').map(({ query }) => query)).to.deep.equal([
      expected,
      expected,
    ])
    expect(place.service.heardOn('GET /webapp/access-mode/id').map(({ query }) => query)).to.deep.equal([
      { appId: place.appId },
      { appId: place.appId },
    ])
  })

  it('asks about an external person with the id of the account that has the email', async () => {
    const { accountId } = await place.addMember(EVE.email)
    expect((await place.run(place.external)).status).to.equal(200)
    expect(place.service.heardOn('GET /webapp/permission').map(({ query }) => query)).to.deep.equal([
      { userId: accountId, appId: place.appId },
    ])
  })

  it('D10 refuses an external person without an account a private app, and asks nobody', async () => {
    expect(said(await place.run(place.external))).to.equal('403 subject_no_app_access')
    expect(place.service.heardOn('GET /webapp/permission')).to.have.length(0)
  })

  it('D08 a mode of the future admits nobody', async () => {
    place.service.on('GET /webapp/access-mode/id', says({ accessMode: 'sso_verified_or_better' }))
    for (const token of [place.account, place.external])
      expect(said(await place.run(token))).to.equal('403 subject_no_app_access')
  })

  it('G16 lists what the service names, as ids or objects, in its order, however it spells them', async () => {
    const other = await place.addApp(chatFile('Other'))
    const missing = place.ports.newId()
    const data = [{ appId: other.toUpperCase() }, 'no id', missing, place.appId, { appId: place.appId }, '', '\u0000']
    place.service.on('POST /webapp/externally-accessible-apps', says({ data, total: 42, hasMore: false }))
    const { status, json } = await place.permitted('?page=2&limit=20&mode=chat&name=Ot')
    expect(status).to.equal(200)
    expect(json.data.map(({ id }: { id: string }) => id)).to.deep.equal([other, place.appId])
    // `hasMore` of the service is not believed.
    expect(json).to.include({ page: 2, limit: 20, total: 42, has_more: true })
    const [heard] = place.service.heardOn('POST /webapp/externally-accessible-apps')
    expect(heard?.body).to.deep.equal({ page: 2, limit: 20, mode: 'chat', name: 'Ot' })
  })

  it('G16 a page ends at its limit, whatever the service sends', async () => {
    const ids = [place.appId, await place.addApp(chatFile('Second')), await place.addApp(chatFile('Third'))]
    place.service.on('POST /webapp/externally-accessible-apps', says({ data: ids, total: 3 }))
    expect((await place.permitted('?limit=2')).json.data).to.have.length(2)
    const [heard] = place.service.heardOn('POST /webapp/externally-accessible-apps')
    expect(heard?.body).to.deep.equal({ page: 1, limit: 2 })
  })

  it('F01 hands the service an envelope that only it and we can read, for a callback of ours', async () => {
    const { userCode } = await place.startFlow()
    const reply = await fetch(`${place.url}${DEVICE}/sso-initiate?user_code=${userCode}`, { redirect: 'manual' })
    expect(reply.status).to.equal(302)
    expect(reply.headers.get('Location')).to.equal('https://idp.example/sign-on?x=1')
    const [heard] = place.service.heardOn('POST /device-flow/sso-initiate')
    expect(Object.keys(heard?.body ?? {})).to.deep.equal(['signed_state'])
    const sealed = String(Object.values(heard?.body ?? {})[0])
    const envelope = await place.ports.sealer.readEnvelope(sealed)
    expect(envelope).to.include({ userCode, callbackUrl: `${ORIGIN}${DEVICE}/sso-complete` })
  })

  it('sends a place that needs escaping as one header line', async () => {
    place.service.on('POST /device-flow/sso-initiate', says({ url: 'https://idp.example/ä b\r\nSet-Cookie: x=1' }))
    const { userCode } = await place.startFlow()
    const reply = await fetch(`${place.url}${DEVICE}/sso-initiate?user_code=${userCode}`, { redirect: 'manual' })
    expect(reply.headers.get('Location')).to.equal('https://idp.example/%C3%A4%20bSet-Cookie:%20x=1')
    expect(reply.headers.getSetCookie().join()).to.not.contain('x=1')
  })

  it('shows the service its secret, and the trace of the request that it helps to answer', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    await place.get(`${API}/apps/permitted`, { token: place.external, headers: { traceparent } })
    expect(place.service.heard).to.have.length(2)
    for (const { headers } of place.service.heard) {
      expect(headers['enterprise-api-secret-key']).to.equal(place.service.secretKey)
      expect(headers.traceparent).to.equal(traceparent)
    }
  })

  for (const bad of [
    '',
    'x',
    `ff-${'4'.repeat(32)}-${'5'.repeat(16)}-01`,
    `00-${'0'.repeat(32)}-${'5'.repeat(16)}-01`,
    `00-${'4'.repeat(32)}-${'0'.repeat(16)}-01`,
  ]) {
    it(`passes no malformed trace on: ${bad || 'none'}`, async () => {
      await place.get(`${API}/apps/permitted`, {
        token: place.external,
        headers: bad === '' ? {} : { traceparent: bad },
      })
      expect(place.service.heard).to.have.length(2)
      for (const { headers } of place.service.heard) expect(headers).to.not.have.property('traceparent')
    })
  }

  const KEPT: readonly [status: string, keptS: number][] = [
    ['active', 600],
    ['expiring', 600],
    ['expired', 30],
    ['whatever', 30],
  ]
  for (const [status, keptS] of KEPT) {
    it(`F09 a licence that is ${status} is remembered for ${keptS} s`, async () => {
      place.service.on('GET /info', says({ License: { status } }))
      const asked = () => place.service.heardOn('GET /info').length
      await place.permitted()
      place.clock.advance(keptS * 1000 - 1)
      await place.permitted()
      expect(asked()).to.equal(1)
      place.clock.advance(1)
      await place.permitted()
      expect(asked()).to.equal(2)
    })
  }

  it('asks for the licence once, however many wait for it', async () => {
    const replies = await Promise.all(Array.from({ length: 20 }, () => place.permitted()))
    expect(replies.map(({ status }) => status)).to.deep.equal(Array(20).fill(200))
    expect(place.service.heardOn('GET /info')).to.have.length(1)
  })
})
