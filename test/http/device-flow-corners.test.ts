import { expect } from 'chai'
import sinon from 'sinon'
import { flowOf, said } from './flow.ts'
import { aPlace } from './place.ts'

describe('corners of the device flow', () => {
  afterEach(() => sinon.restore())

  // Whoever lost the claim while minting must not hand a token out, whatever took the code meanwhile.
  it('E21 an approve whose code was taken while it minted: 409 state_lost, and its terminal gets nothing from it', async () => {
    const place = await aPlace()
    const flow = flowOf(place)
    const browser = await place.signIn()
    const { deviceCode, userCode } = await place.startFlow()
    const { seal } = place.ports.seal
    sinon.stub(place.ports.seal, 'seal').callsFake((publicKey, token) => {
      // The lease ends, and another approve claims the code.
      void place.ports.flows.update(place.ports.digest(deviceCode), (seen) => ({
        result: null,
        write: { ...seen, decision: { status: 'pending', claim: { owner: 'another', untilMs: seen.expiresAtMs } } },
      }))
      return seal(publicKey, token)
    })
    expect(said(await flow.decide('approve', userCode, browser))).to.equal('409 state_lost')
    expect(said(await flow.poll(deviceCode))).to.equal('400 authorization_pending')
    // The other one still holds it.
    expect(said(await flow.decide('deny', userCode, browser))).to.equal('409 approve_in_progress')
    await place.close()
  })
})
