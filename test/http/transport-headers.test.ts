import { expect } from 'chai'
import type { Reply } from '../support/world.ts'
import { flowOf } from './flow.ts'
import { API, aPlace, type Place } from './place.ts'

describe('headers against what lies between', () => {
  let place: Place
  async function open(options: Parameters<typeof aPlace>[0] = {}): Promise<void> {
    place = await aPlace(options)
  }
  afterEach(() => place.close())

  const HSTS = 'strict-transport-security'
  const everyKind = (): Promise<Reply>[] => [
    place.get(`${API}/_health`),
    place.get(`${API}/account`),
    place.get('/signin'),
    place.get('/nothing'),
    place.get('/'),
    place.post('/console/api/login', { json: {} }),
  ]

  // RFC 6797 §7.2: over plain http the header would be a promise that nobody can keep.
  it('on https every answer tells browsers to stay there, on http none does', async () => {
    await open({ cookies: { secure: true } })
    for (const reply of await Promise.all(everyKind())) expect(reply.headers.get(HSTS)).to.equal('max-age=31536000')
    await place.close()
    await open()
    for (const reply of await Promise.all(everyKind())) expect(reply.headers.has(HSTS)).to.equal(false)
  })

  it('a token and every refusal of one stay out of old caches too', async () => {
    await open()
    const { deviceCode, userCode } = await place.startFlow()
    const pending = await flowOf(place).poll(deviceCode)
    await flowOf(place).decide('approve', userCode, await place.signIn())
    const granted = await flowOf(place).poll(deviceCode)
    const broken = await place.post(`${API}/oauth/device/token`, { body: '{', headers: { 'Content-Type': 'text/x' } })
    expect([pending, granted, broken].map(({ status }) => status)).to.deep.equal([400, 200, 415])
    for (const { headers } of [pending, granted, broken]) {
      expect(headers.get('cache-control')).to.equal('no-store')
      expect(headers.get('pragma')).to.equal('no-cache')
      expect(headers.get('content-type')).to.equal('application/json; charset=utf-8')
    }
  })

  // A page that opened ours keeps a handle to its window otherwise, and can send it elsewhere while somebody decides.
  it('a page is cut off from the one that opened it, its redirects included', async () => {
    await open()
    for (const path of ['/signin', '/device', '/device?user_code=AAAA-AAAA', '/device/sessions']) {
      const reply = await place.get(path)
      expect(reply.headers.get('cross-origin-opener-policy'), path).to.equal('same-origin')
    }
  })
})
