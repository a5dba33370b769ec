import { expect } from 'chai'
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

  it('audit rows name the very address', async () => {
    await code('2001:db8:1:2::abcd')
    const [row] = await place.edit.auditRows('oauth.device_code_issued')
    expect(row?.facts.ip).to.equal('2001:db8:1:2::abcd')
  })
})
