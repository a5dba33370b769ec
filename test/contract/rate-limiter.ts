import { expect } from 'chai'
import type { RateLimiter } from '#application/ports/rate-limiter.ts'
import type { TokenCache } from '#application/ports/token-cache.ts'
import type { Bucket } from '#domain/rate-limit.ts'
import type { FakeClock } from '../support/clock.ts'
import { aContext } from '../support/contexts.ts'

type Opened = {
  readonly limiter: RateLimiter
  readonly cache: TokenCache
  readonly clock: FakeClock
  close(): Promise<void>
}

/** What every RateLimiter promises. */
export function rateLimiterContract(name: string, open: () => Promise<Opened>): void {
  describe(`RateLimiter contract: ${name}`, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(() => opened.close())

    const bucket = (overrides: Partial<Bucket> = {}): Bucket => ({ key: 'k', limit: 3, windowMs: 60_000, ...overrides })
    const times = (count: number, one: Bucket = bucket()) =>
      Promise.all(Array.from({ length: count }, () => opened.limiter.admit([one])))
    const admitted = (answers: readonly { retryAfterMs: number | null }[]) =>
      answers.filter(({ retryAfterMs }) => retryAfterMs === null).length

    it('B10 admits sixty calls of a minute and refuses the next with a wait of at least a second', async () => {
      const sixty = bucket({ limit: 60 })
      expect(admitted(await times(60, sixty))).to.equal(60)
      const [refused] = await times(1, sixty)
      expect(refused?.retryAfterMs).to.be.at.least(1000)
      expect(refused?.refusedBy).to.equal(0)
    })

    it('B14 admits exactly sixty of a hundred concurrent calls', async () => {
      expect(admitted(await times(100, bucket({ limit: 60 })))).to.equal(60)
    })

    it('B13 says how long until the oldest hit leaves the window', async () => {
      await times(1)
      opened.clock.advance(10_000)
      await times(2)
      opened.clock.advance(20_000)
      expect((await times(1))[0]?.retryAfterMs).to.equal(30_000)
    })

    it('B13 never says less than a second', async () => {
      await times(3)
      opened.clock.advance(59_999)
      expect((await times(1))[0]?.retryAfterMs).to.equal(1000)
    })

    it('admits again at the exact millisecond the oldest hit leaves', async () => {
      await times(3)
      opened.clock.advance(59_999)
      expect(admitted(await times(1))).to.equal(0)
      opened.clock.advance(1)
      expect(admitted(await times(1))).to.equal(1)
    })

    it('slides: what came late in the window still counts', async () => {
      await times(1)
      opened.clock.advance(50_000)
      await times(2)
      opened.clock.advance(10_000)
      expect(admitted(await times(3))).to.equal(1)
    })

    it('does not record refused calls', async () => {
      await times(3)
      opened.clock.advance(30_000)
      await times(50)
      opened.clock.advance(30_000)
      expect(admitted(await times(5))).to.equal(3)
    })

    it('keeps buckets apart', async () => {
      await times(3)
      expect(admitted(await times(3, bucket({ key: 'other' })))).to.equal(3)
    })

    it('keeps keys with braces apart', async () => {
      await times(3, bucket({ key: 'login:a}b' }))
      expect(admitted(await times(3, bucket({ key: 'login:a}c' })))).to.equal(3)
    })

    it('B12 a limit of 0 is off', async () => {
      expect(admitted(await times(200, bucket({ limit: 0 })))).to.equal(200)
    })

    it('names the bucket that refused, also behind one that is off', async () => {
      const full = bucket({ key: 'full', limit: 1 })
      await times(1, full)
      const answer = await opened.limiter.admit([bucket({ key: 'off', limit: 0 }), bucket(), full])
      expect(answer.refusedBy).to.equal(2)
      expect(answer.retryAfterMs).to.equal(60_000)
    })

    it('counts a call that any bucket refuses in none', async () => {
      const full = bucket({ key: 'full', limit: 1 })
      await times(1, full)
      for (let call = 0; call < 10; call++) await opened.limiter.admit([bucket(), full])
      expect(admitted(await times(4))).to.equal(3)
    })

    it('gives back the one hit that the receipt names', async () => {
      const [first] = await times(3)
      await opened.limiter.giveBack(bucket(), first?.receipt ?? '')
      await opened.limiter.giveBack(bucket(), first?.receipt ?? '')
      expect(admitted(await times(3))).to.equal(1)
    })

    it('gives nothing back for a strange receipt', async () => {
      await times(3)
      await opened.limiter.giveBack(bucket(), 'nobody')
      expect(admitted(await times(1))).to.equal(0)
    })

    it('says what the cache knows, admitted or not', async () => {
      const context = aContext({ expiresAtMs: opened.clock.now() + 3_600_000 })
      await opened.cache.put(context.tokenHash, context)
      const one = bucket({ limit: 1 })
      expect((await opened.limiter.admit([one], context.tokenHash)).cached).to.deep.equal({ kind: 'hit', context })
      const refused = await opened.limiter.admit([one], context.tokenHash)
      expect(refused.retryAfterMs).not.to.equal(null)
      expect(refused.cached).to.deep.equal({ kind: 'hit', context })
      expect((await opened.limiter.admit([bucket()])).cached).to.deep.equal({ kind: 'miss' })
    })
  })
}
