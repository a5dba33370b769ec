import { expect } from 'chai'
import sinon from 'sinon'
import { API, aPlace, mintOwn, NO_BEARER_LIMIT, type Place } from './place.ts'

describe('the two limits of GET /account', () => {
  let place: Place
  beforeEach(async () => {
    place = await aPlace({ settings: NO_BEARER_LIMIT })
  })
  afterEach(async () => {
    sinon.restore()
    await place.close()
  })

  const account = (token: string) => place.get(`${API}/account`, { token })

  it('B15 leave in one write once the token has been seen', async () => {
    const token = await mintOwn(place)
    await account(token)
    const admit = sinon.spy(place.ports.limiter, 'admit')
    expect((await account(token)).status).to.equal(200)
    expect(admit.args.map(([buckets]) => buckets.map(({ key }) => key.split(':')[0]))).to.deep.equal([
      ['bearer', 'account'],
    ])
  })

  it('G03 count every call once, the first of a token too', async () => {
    const tokens = [await mintOwn(place, { label: 'a' }), await mintOwn(place, { label: 'b' })]
    const statuses: number[] = []
    for (let call = 0; call < 61; call++) statuses.push((await account(tokens[call % 2] ?? '')).status)
    expect(statuses.filter((status) => status === 200)).to.have.length(60)
    expect(statuses.at(-1)).to.equal(429)
    const [hit] = await place.edit.auditRows('rate_limit.hit')
    expect(hit?.facts).to.deep.include({ limit: 'account' })
  })

  // Whoever holds a token that was revoked must not be able to lock its former owner out.
  it('a revoked token does not use up the limit of its owner', async () => {
    const [dead, live] = [await mintOwn(place, { label: 'dead' }), await mintOwn(place, { label: 'live' })]
    await account(dead)
    await place.delete(`${API}/account/sessions/self`, { token: dead })
    for (let replay = 0; replay < 70; replay++) expect((await account(dead)).status).to.equal(401)
    const statuses: number[] = []
    for (let call = 0; call < 60; call++) statuses.push((await account(live)).status)
    expect(statuses.filter((status) => status === 200)).to.have.length(59)
  })

  it('a token known by its subject is still refused at once when it is revoked', async () => {
    const token = await mintOwn(place)
    await account(token)
    await place.delete(`${API}/account/sessions/self`, { token })
    expect((await account(token)).status).to.equal(401)
  })
})
