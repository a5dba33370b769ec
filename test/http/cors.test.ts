import { expect } from 'chai'
import type { Reply } from '../support/world.ts'
import { API, aPlace, mintOwn, NO_BEARER_LIMIT, type Place } from './place.ts'

const ALLOWED = 'https://console.example'

/** A preflight as a browser sends it; fetch would strip some of its headers. */
function preflight(place: Place, path: string, headers: Record<string, string>): Promise<Reply> {
  return place.send('OPTIONS', path, {
    headers: { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'Authorization', ...headers },
  })
}

describe('CORS', () => {
  let place: Place
  let token: string

  before(async () => {
    place = await aPlace({ corsOrigins: [ALLOWED], settings: NO_BEARER_LIMIT })
    token = await mintOwn(place)
  })
  after(() => place.close())

  it('A05 an allowed origin is echoed, with credentials and a max age of 600', async () => {
    const reply = await preflight(place, `${API}/account`, { Origin: ALLOWED })
    expect(reply.status).to.equal(200)
    expect(reply.headers.get('access-control-allow-origin')).to.equal(ALLOWED)
    expect(reply.headers.get('access-control-allow-credentials')).to.equal('true')
    expect(reply.headers.get('access-control-max-age')).to.equal('600')
  })

  for (const origin of ['https://evil.example', 'null', `${ALLOWED}.evil.example`, 'http://console.example']) {
    it(`A06 origin ${origin} is told nothing, and its preflight still answers 200`, async () => {
      for (const reply of [
        await preflight(place, `${API}/account`, { Origin: origin }),
        await place.get(`${API}/account`, { token, headers: { Origin: origin } }),
      ]) {
        expect(reply.status).to.equal(200)
        expect(reply.headers.has('access-control-allow-origin')).to.equal(false)
      }
    })
  }

  it('A07 an empty list allows no origin', async () => {
    const closed = await aPlace()
    try {
      const reply = await preflight(closed, `${API}/account`, { Origin: ALLOWED })
      expect(reply.status).to.equal(200)
      expect(reply.headers.has('access-control-allow-origin')).to.equal(false)
    } finally {
      await closed.close()
    }
  })

  it('A08 a request without an Origin works and gets no CORS answer', async () => {
    const reply = await place.get(`${API}/account`, { token })
    expect(reply.status).to.equal(200)
    expect(reply.headers.has('access-control-allow-origin')).to.equal(false)
  })

  it('A09 a browser may send Authorization', async () => {
    const reply = await preflight(place, `${API}/account`, { Origin: ALLOWED })
    expect(reply.headers.get('access-control-allow-headers')?.split(', ')).to.include('Authorization')
  })

  it('A17 a preflight answers exactly the methods and headers that there are', async () => {
    const { headers } = await preflight(place, `${API}/no/such/thing`, { Origin: ALLOWED })
    expect(headers.get('access-control-allow-methods')).to.equal('GET, POST, PATCH, DELETE, OPTIONS')
    expect(headers.get('access-control-allow-headers')).to.equal('Authorization, Content-Type, X-CSRF-Token')
    const plain = await place.get(`${API}/_health`, { headers: { Origin: ALLOWED } })
    expect(plain.headers.get('access-control-expose-headers')).to.equal('X-Version, X-Request-Id, Retry-After')
    expect(plain.headers.get('vary')).to.match(/\borigin\b/i)
  })

  it('keeps the CORS answer on refusals, so that a browser client can read them', async () => {
    const reply = await place.get(`${API}/account`, { headers: { Origin: ALLOWED } })
    expect(reply.status).to.equal(401)
    expect(reply.headers.get('access-control-allow-origin')).to.equal(ALLOWED)
  })
})
