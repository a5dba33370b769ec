import { expect } from 'chai'
import sinon from 'sinon'
import { makeRequireMembership } from '#application/auth/layer-zero.ts'
import { POSITIVE_TTL_MS } from '#application/ports/token-cache.ts'
import type { AuthContext } from '#domain/auth-context.ts'
import { API, aPlace, mintOwn } from './place.ts'
import { layerZeroSuite } from './suites/layer-zero.ts'

layerZeroSuite('memory', {})

describe('layer 0 verdicts', () => {
  it('C02 recording keeps the time that the entry had left', async () => {
    const place = await aPlace()
    try {
      const token = await mintOwn(place)
      const cached = async () => (await place.ports.limiter.admit([], place.ports.digest(token))).cached.kind
      await place.get(`${API}/workspaces`, { token })
      place.clock.advance(POSITIVE_TTL_MS - 1)
      await place.get(`${API}/apps?workspace_id=${place.owner.workspaceId}`, { token })
      expect(await cached()).to.equal('hit')
      place.clock.advance(1)
      expect(await cached()).to.equal('miss')
    } finally {
      await place.close()
    }
  })

  for (const verdict of ['true', 1, {}, null]) {
    it(`C12 a verdict that is ${JSON.stringify(verdict)} counts as unknown`, async () => {
      const place = await aPlace()
      try {
        const find = sinon.spy(place.ports.memberships, 'find')
        const requireMembership = makeRequireMembership({ ...place.ports, settings: { remoteIsolation: false } })
        const context = await place.cases.authenticate(await mintOwn(place))
        const foreign = place.ports.newId()
        // What a cache that was written by something else might hold.
        const verifiedWorkspaces = { [foreign]: verdict } as unknown as AuthContext['verifiedWorkspaces']
        const refused = await requireMembership({ ...context, verifiedWorkspaces }, foreign).then(
          () => 'passed',
          ({ code }: { code: string }) => code,
        )
        expect(refused).to.equal('workspace_membership_revoked')
        expect(find.callCount).to.equal(1)
      } finally {
        sinon.restore()
        await place.close()
      }
    })
  }
})
