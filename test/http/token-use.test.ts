import { expect } from 'chai'
import sinon from 'sinon'
import { chatFile } from './app-files.ts'
import { API, aPlace, mintOwn, type Place } from './place.ts'

describe('last_used_at and last_used_ip', () => {
  let place: Place
  let token: string
  let record: sinon.SinonSpy
  beforeEach(async () => {
    place = await aPlace({
      trustedProxies: ['127.0.0.1/32'],
      change: (ports) => {
        record = sinon.spy(ports.recordTokenUses)
        return { ...ports, recordTokenUses: record }
      },
    })
    token = await mintOwn(place)
  })
  afterEach(async () => {
    sinon.restore()
    await place.close()
  })

  const from = (ip: string) => ({ 'X-Forwarded-For': ip, 'User-Agent': 'terminal/2' })
  const session = async () =>
    (await place.get(`${API}/account/sessions`, { token, headers: from('203.0.113.200') })).json.data[0]

  it('tell the sessions page of the latest use, from the address that the proxy saw', async () => {
    expect(await session()).to.include({ last_used_at: null, last_used_ip: null })
    place.clock.advance(1000)
    await place.get(`${API}/workspaces`, { token, headers: from('203.0.113.5') })
    const usedAt = new Date(place.clock.now()).toISOString()
    await place.cases.tokenUsage.flush()
    expect(await session()).to.include({ last_used_at: usedAt, last_used_ip: '203.0.113.5' })
  })

  it('cost no request a write', async () => {
    await place.get(`${API}/workspaces`, { token })
    expect(record.callCount).to.equal(0)
    await place.cases.tokenUsage.flush()
    expect(record.callCount).to.equal(1)
  })

  it('know a run that was refused as well: whoever tries a stolen token shows', async () => {
    const appId = await place.addApp(chatFile())
    await place.post(`${API}/apps/${appId}/run`, { token, json: {}, headers: from('198.51.100.7') })
    await place.cases.tokenUsage.flush()
    expect(await session()).to.include({ last_used_ip: '198.51.100.7' })
    place.clock.advance(60_000)
    const unknown = `${API}/apps/${place.owner.accountId}/run`
    expect((await place.post(unknown, { token, json: {}, headers: from('198.51.100.8') })).status).to.equal(404)
    await place.cases.tokenUsage.flush()
    expect(await session()).to.include({ last_used_ip: '198.51.100.8' })
  })
})
