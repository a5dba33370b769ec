import { expect } from 'chai'
import { flowOf, said } from './flow.ts'
import { aPlace } from './place.ts'

describe('whose browser session it is', () => {
  // The signing key alone must not do: a forged cookie needs a sign-in of the very person it names.
  it('a rightly signed cookie that names another person with one’s own sign-in is nobody’s', async () => {
    const place = await aPlace()
    await place.addMember('mallory@example.test')
    const mallory = await place.signIn('mallory@example.test')
    const read = await place.ports.consoleTokens.readAccess(/access_token=([^;]+)/.exec(mallory.cookie)?.[1] ?? '')
    const { userCode } = await place.startFlow()
    const forged = async (accountId: string, family: string) => {
      const session = { accountId, family }
      const until = place.clock.now() + 60_000
      const csrf = await place.ports.consoleTokens.signCsrf(session, until)
      const access = await place.ports.consoleTokens.signAccess(session, until)
      return { headers: { Cookie: `access_token=${access}; csrf_token=${csrf}`, 'X-CSRF-Token': csrf } }
    }
    const family = read?.family ?? ''
    for (const browser of [
      await forged(place.owner.accountId, family),
      await forged(place.owner.accountId, place.ports.newId()),
    ]) {
      expect((await place.get('/console/api/account/profile', browser)).status).to.equal(401)
      expect(said(await flowOf(place).decide('approve', userCode, browser))).to.equal('401 unauthorized')
    }
    const own = await forged(read?.accountId ?? '', family)
    expect((await place.get('/console/api/account/profile', own)).json.email).to.equal('mallory@example.test')
    await place.close()
  })
})
