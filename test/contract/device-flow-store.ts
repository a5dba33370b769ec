import { expect } from 'chai'
import type { DeviceFlowStore } from '#application/ports/device-flow-store.ts'
import { poll } from '#domain/device-flow-state.ts'
import { aFlow } from '../support/builders.ts'
import type { FakeClock } from '../support/clock.ts'

type Opened = { readonly store: DeviceFlowStore; readonly clock: FakeClock; close(): Promise<void> }

/** What every DeviceFlowStore promises. `open` returns an empty store on a clock at the builders' instant. */
export function deviceFlowStoreContract(name: string, open: () => Promise<Opened>): void {
  describe(`DeviceFlowStore contract: ${name}`, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(() => opened.close())

    it('finds a flow by the hash of either code', async () => {
      const flow = aFlow()
      expect(await opened.store.insert(flow, 'ABCD-EFGH')).to.equal(true)
      expect(await opened.store.hashOf('ABCD-EFGH')).to.equal(flow.deviceCodeHash)
      expect(await opened.store.find(flow.deviceCodeHash)).to.deep.equal(flow)
    })

    it('gives back an approved flow whole', async () => {
      const sealedToken = { v: 1, ephemeral: 'e', box: 'b' } as const
      const subject = { type: 'external_sso', email: 'a@b.example', issuer: 'https://idp.example' } as const
      const grant = { subject, tokenId: 't', tokenHash: 'h', workspaceId: null, sealedToken }
      const flow = aFlow({ lastPolledAtMs: 1, decision: { status: 'approved', ...grant } })
      await opened.store.insert(flow, 'ABCD-EFGH')
      expect(await opened.store.find(flow.deviceCodeHash)).to.deep.equal(flow)
    })

    it('refuses a taken user code and stores nothing of the second flow', async () => {
      const [first, second] = [aFlow(), aFlow()]
      await opened.store.insert(first, 'ABCD-EFGH')
      expect(await opened.store.insert(second, 'ABCD-EFGH')).to.equal(false)
      expect(await opened.store.hashOf('ABCD-EFGH')).to.equal(first.deviceCodeHash)
      expect(await opened.store.find(second.deviceCodeHash)).to.equal(null)
    })

    it('lets exactly one of twenty concurrent draws have a user code', async () => {
      const draws = await Promise.all(Array.from({ length: 20 }, () => opened.store.insert(aFlow(), 'ABCD-EFGH')))
      expect(draws.filter((won) => won)).to.have.length(1)
    })

    it('says null of unknown codes and never asks about them', async () => {
      expect(await opened.store.hashOf('XXXX-XXXX')).to.equal(null)
      expect(await opened.store.find('0'.repeat(64))).to.equal(null)
      const decide = () => ({ result: 'decided', write: 'keep' as const })
      expect(await opened.store.update('0'.repeat(64), decide)).to.equal(null)
    })

    it('E11 lets exactly one of fifty concurrent removals win', async () => {
      const flow = aFlow()
      await opened.store.insert(flow, 'ABCD-EFGH')
      const take = () => opened.store.update(flow.deviceCodeHash, () => ({ result: 'won', write: 'remove' }))
      const takes = await Promise.all(Array.from({ length: 50 }, take))
      expect(takes.filter((result) => result === 'won')).to.have.length(1)
      expect(await opened.store.find(flow.deviceCodeHash)).to.equal(null)
    })

    it('loses none of fifty concurrent updates', async () => {
      const flow = aFlow({ intervalS: 0 })
      await opened.store.insert(flow, 'ABCD-EFGH')
      const raise = () =>
        opened.store.update(flow.deviceCodeHash, (seen) => ({
          result: seen.intervalS,
          write: { ...seen, intervalS: seen.intervalS + 1 },
        }))
      const seen = await Promise.all(Array.from({ length: 50 }, raise))
      expect(new Set(seen).size).to.equal(50)
      expect((await opened.store.find(flow.deviceCodeHash))?.intervalS).to.equal(50)
    })

    it('E12 lets one of two opposed decisions win, the other sees it', async () => {
      const flow = aFlow()
      await opened.store.insert(flow, 'ABCD-EFGH')
      const deny = () =>
        opened.store.update(flow.deviceCodeHash, (seen) =>
          seen.decision.status === 'pending'
            ? { result: 'won', write: { ...seen, decision: { status: 'denied' as const } } }
            : { result: seen.decision.status, write: 'keep' as const },
        )
      expect((await Promise.all([deny(), deny(), deny()])).sort()).to.deep.equal(['denied', 'denied', 'won'])
    })

    it('leaves the flow alone when told to keep it', async () => {
      const flow = aFlow()
      await opened.store.insert(flow, 'ABCD-EFGH')
      await opened.store.update(flow.deviceCodeHash, () => ({ result: null, write: 'keep' }))
      expect(await opened.store.find(flow.deviceCodeHash)).to.deep.equal(flow)
    })

    it('stores nothing when deciding throws', async () => {
      const flow = aFlow()
      await opened.store.insert(flow, 'ABCD-EFGH')
      const broken = opened.store.update(flow.deviceCodeHash, () => {
        throw new Error('bug')
      })
      expect(await broken.catch((error: Error) => error.message)).to.equal('bug')
      expect(await opened.store.find(flow.deviceCodeHash)).to.deep.equal(flow)
    })

    it('forgets a flow at its expiry, to the millisecond', async () => {
      const flow = aFlow()
      await opened.store.insert(flow, 'ABCD-EFGH')
      opened.clock.advance(899_999)
      expect(await opened.store.find(flow.deviceCodeHash)).to.deep.equal(flow)
      opened.clock.advance(1)
      expect(await opened.store.find(flow.deviceCodeHash)).to.equal(null)
      expect(await opened.store.update(flow.deviceCodeHash, () => ({ result: 1, write: 'keep' }))).to.equal(null)
    })

    it('E09b keeps a flow whose expiry was moved', async () => {
      const flow = aFlow()
      await opened.store.insert(flow, 'ABCD-EFGH')
      const later = { ...flow, expiresAtMs: flow.expiresAtMs + 59_000 }
      opened.clock.advance(899_000)
      await opened.store.update(flow.deviceCodeHash, () => ({ result: null, write: later }))
      opened.clock.advance(30_000)
      expect(await opened.store.find(flow.deviceCodeHash)).to.deep.equal(later)
    })

    it('E07 two polls at once: one is in time, the other hears slow_down', async () => {
      const flow = aFlow()
      await opened.store.insert(flow, 'ABCD-EFGH')
      const ask = () =>
        opened.store.update(flow.deviceCodeHash, (seen) => {
          const outcome = poll(seen, seen.clientId, opened.clock.now())
          return {
            result: outcome.kind === 'wait' ? outcome.code : '',
            write: outcome.kind === 'wait' ? outcome.next : 'keep',
          }
        })
      expect((await Promise.all([ask(), ask()])).sort()).to.deep.equal(['authorization_pending', 'slow_down'])
    })
  })
}
