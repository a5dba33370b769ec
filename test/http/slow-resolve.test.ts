import { expect } from 'chai'
import { FORGET_TTL_MS } from '#application/ports/token-cache.ts'
import { API, aPlace, mintOwn, type Place } from './place.ts'

describe('a database that answers late', () => {
  let place: Place
  afterEach(() => place.close())

  // Protects against a reader who was stuck for longer than a change is remembered: it would bring back what ended.
  it('C11 what was read before the tombstone of a change can have ended is not cached', async () => {
    let lateMs = FORGET_TTL_MS
    place = await aPlace({
      change: (ports) => ({
        ...ports,
        memberships: {
          ...ports.memberships,
          async list(accountId) {
            const joined = await ports.memberships.list(accountId)
            place.clock.advance(lateMs)
            return joined
          },
        },
      }),
    })
    const token = await mintOwn(place)
    const cached = async () => (await place.ports.limiter.admit([], place.ports.digest(token))).cached.kind
    expect((await place.get(`${API}/workspaces`, { token })).status).to.equal(200)
    expect(await cached()).to.equal('miss')
    lateMs = 1000
    expect((await place.get(`${API}/workspaces`, { token })).status).to.equal(200)
    expect(await cached()).to.equal('hit')
  })
})
