import { expect } from 'chai'
import sinon from 'sinon'
import { OWNER } from '../support/world.ts'
import { API, aPlace, type Place } from './place.ts'

describe('limits by address', () => {
  let place: Place
  beforeEach(async () => {
    place = await aPlace({ trustedProxies: ['127.0.0.1/32'] })
  })
  afterEach(() => place.close())

  const from = (ip: string) => ({ 'X-Forwarded-For': ip })
  const code = (ip: string) =>
    place.post(`${API}/oauth/device/code`, {
      json: { client_id: 'difyctl', device_label: 'laptop' },
      headers: from(ip),
    })

  // Every home has 2^64 addresses; a limit for each of them would be none.
  it('E06 count an IPv6 client by its /64, and another /64 by itself', async () => {
    for (let at = 0; at < 60; at++) expect((await code(`2001:db8:1:2::${at.toString(16)}`)).status).to.equal(200)
    expect((await code('2001:db8:1:2:ffff::1')).status).to.equal(429)
    expect((await code('2001:db8:1:3::1')).status).to.equal(200)
  })

  it('M03 five wrong passwords from one /64 lock it out, whatever address it takes next', async () => {
    const login = (ip: string, password: string) =>
      place.post('/console/api/login', { json: { email: OWNER.email, password }, headers: from(ip) })
    for (let at = 1; at <= 5; at++) expect((await login(`2001:db8:1:2::${at}`, 'wrong horse 2')).status).to.equal(401)
    expect((await login('2001:db8:1:2::6', OWNER.password)).status).to.equal(429)
    expect((await login('2001:db8:1:3::6', OWNER.password)).status).to.equal(200)
  })

  // The queue for passwords is short, and each made-up person would take a place in it.
  it('security: a flood of sign-ins from one network leaves others their turn', async () => {
    const login = (ip: string, email: string) =>
      place.post('/console/api/login', { json: { email, password: OWNER.password }, headers: from(ip) })
    const held = Promise.withResolvers<void>()
    const overflow = Promise.withResolvers<void>()
    const { passwords } = place.ports
    const verify = passwords.verify.bind(passwords)
    const slow = sinon.stub(passwords, 'verify').callsFake((...given) => held.promise.then(() => verify(...given)))
    const told: number[] = []
    const fromOneHome = async (at: number) => {
      const { status } = await login(`2001:db8:1:2::${at + 1}`, `nobody${at}@example.test`)
      if (told.push(status) === 14) overflow.resolve()
    }
    try {
      const flood = Promise.all(Array.from({ length: 30 }, (_, at) => fromOneHome(at)))
      await overflow.promise
      const other = login('2001:db8:1:3::1', OWNER.email)
      held.resolve()
      expect((await other).status).to.equal(200)
      await flood
      expect(told).to.deep.equal([...Array(14).fill(429), ...Array(16).fill(401)])
    } finally {
      held.resolve()
      slow.restore()
    }
    expect((await login('2001:db8:1:2::1', OWNER.email)).status).to.equal(200)
  })

  it('audit rows name the very address', async () => {
    await code('2001:db8:1:2::abcd')
    const [row] = await place.edit.auditRows('oauth.device_code_issued')
    expect(row?.facts.ip).to.equal('2001:db8:1:2::abcd')
  })
})
