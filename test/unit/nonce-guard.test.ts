import { expect } from 'chai'
import { createMemoryNonceGuard } from '#adapters/memory/nonce-guard.ts'
import { NONCE_TTL_MS } from '#application/ports/nonce-guard.ts'
import { DomainError } from '#domain/errors.ts'
import { nonceGuardContract } from '../contract/nonce-guard.ts'
import { fakeClock } from '../support/clock.ts'

nonceGuardContract('memory', async () => {
  const clock = fakeClock()
  return {
    nonces: createMemoryNonceGuard({ now: clock.now }),
    age: async (ms) => clock.advance(ms),
    close: async () => {},
  }
})

describe('a flood of nonces', () => {
  // Whoever can make assertions could otherwise push one out, and use it again.
  it('makes none forgotten: the guard refuses until some have ended', async () => {
    const clock = fakeClock()
    const nonces = createMemoryNonceGuard({ now: clock.now })
    for (let at = 0; at < 100_000; at++) await nonces.spend('assertion', String(at))
    const refused = await nonces.spend('assertion', 'one more').catch((error: unknown) => error)
    expect(refused).to.be.instanceOf(DomainError).and.to.have.property('code', 'service_unavailable')
    expect(await nonces.spend('assertion', '0')).to.equal(false)
    clock.advance(NONCE_TTL_MS)
    expect(await nonces.spend('assertion', 'one more')).to.equal(true)
  })
})
