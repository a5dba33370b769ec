import { expect } from 'chai'
import { createMemoryDeviceFlowStore } from '#adapters/memory/device-flow-store.ts'
import { createMemoryTokenCache } from '#adapters/memory/token-cache.ts'
import { DomainError } from '#domain/errors.ts'
import { deviceFlowStoreContract } from '../contract/device-flow-store.ts'
import { tokenCacheContract } from '../contract/token-cache.ts'
import { aFlow, NOW_MS } from '../support/builders.ts'
import { fakeClock } from '../support/clock.ts'
import { aContext } from '../support/contexts.ts'

const noop = async () => {}

deviceFlowStoreContract('memory', async () => {
  const clock = fakeClock(NOW_MS)
  return { store: createMemoryDeviceFlowStore({ now: clock.now }), clock, close: noop }
})

tokenCacheContract('memory', async () => {
  const clock = fakeClock(NOW_MS)
  const cache = createMemoryTokenCache({ now: clock.now, ids: () => 'an id' })
  const age = async (_hash: string, ms: number) => clock.advance(ms)
  return { cache, read: async (hash) => cache.read(hash), age, close: noop }
})

describe('memory bounds', () => {
  it('a full flow store refuses new flows, keeps the old ones, and has room again when they expire', async () => {
    const clock = fakeClock(NOW_MS)
    const store = createMemoryDeviceFlowStore({ now: clock.now, maxFlows: 2 })
    const first = aFlow()
    await store.insert(first, 'AAAA-AAAA')
    await store.insert(aFlow(), 'BBBB-BBBB')
    const refusal = await store.insert(aFlow(), 'CCCC-CCCC').catch((error: unknown) => error)
    expect(refusal).to.be.instanceOf(DomainError).with.property('code', 'service_unavailable')
    expect(await store.find(first.deviceCodeHash)).to.deep.equal(first)
    clock.advance(900_000)
    expect(await store.insert(aFlow({ expiresAtMs: clock.now() + 900_000 }), 'CCCC-CCCC')).to.equal(true)
  })

  it('a full cache stops refilling but still takes a revoke', async () => {
    const clock = fakeClock(NOW_MS)
    const cache = createMemoryTokenCache({ now: clock.now, ids: () => 'an id', maxEntries: 1 })
    const [first, second] = [aContext(), aContext()]
    await cache.put(first.tokenHash, first)
    await cache.put(second.tokenHash, second)
    expect(cache.read(second.tokenHash).kind).to.equal('miss')
    await cache.invalidate([second.tokenHash])
    expect(cache.read(second.tokenHash).kind).to.equal('invalid')
  })
})
