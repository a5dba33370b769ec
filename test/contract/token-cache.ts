import { expect } from 'chai'
import type { CacheRead, TokenCache } from '#application/ports/token-cache.ts'
import type { AuthContext } from '#domain/auth-context.ts'
import { NOW_MS } from '../support/builders.ts'
import { aContext } from '../support/contexts.ts'

type Opened = {
  readonly cache: TokenCache
  read(tokenHash: string): Promise<CacheRead>
  /** Makes the entry `ms` older. */
  age(tokenHash: string, ms: number): Promise<void>
  close(): Promise<void>
}

/** What every TokenCache promises. `open` returns an empty cache whose clock stands at the builders' instant. */
export function tokenCacheContract(name: string, open: () => Promise<Opened>): void {
  describe(`TokenCache contract: ${name}`, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(() => opened.close())

    const put = async (overrides: Partial<AuthContext> = {}) => {
      const context = aContext(overrides)
      await opened.cache.put(context.tokenHash, context)
      return context
    }
    const verdicts = async (hash: string) => {
      const read = await opened.read(hash)
      return read.kind === 'hit' ? read.context.verifiedWorkspaces : read.kind
    }
    const kind = async (hash: string) => (await opened.read(hash)).kind

    it('gives back an account and an external subject whole', async () => {
      const account = await put()
      const subject = { type: 'external_sso', email: 'a@b.example', issuer: 'https://idp.example' } as const
      const external = await put({ subject, account: null, memberships: [], scopes: ['apps:run'] })
      expect(await opened.read(account.tokenHash)).to.deep.equal({ kind: 'hit', context: account })
      expect(await opened.read(external.tokenHash)).to.deep.equal({ kind: 'hit', context: external })
    })

    it('misses what was never put', async () => {
      expect(await opened.read('0'.repeat(64))).to.deep.equal({ kind: 'miss' })
    })

    it('names an entry that comes without a name', async () => {
      const read = await opened.read((await put({ cacheEntryId: null })).tokenHash)
      expect(read.kind === 'hit' && read.context.cacheEntryId).to.be.a('string')
    })

    it('B16 keeps a resolved token for 60 s', async () => {
      const { tokenHash } = await put()
      await opened.age(tokenHash, 59_000)
      expect(await kind(tokenHash)).to.equal('hit')
      await opened.age(tokenHash, 1000)
      expect(await kind(tokenHash)).to.equal('miss')
    })

    it('B16 keeps a miss for 10 s', async () => {
      await opened.cache.putMiss('0'.repeat(64))
      await opened.age('0'.repeat(64), 9000)
      expect(await kind('0'.repeat(64))).to.equal('invalid')
      await opened.age('0'.repeat(64), 1000)
      expect(await kind('0'.repeat(64))).to.equal('miss')
    })

    for (const before of ['an entry', 'nothing'] as const) {
      it(`B16 keeps a revoke for 60 s where there was ${before}`, async () => {
        const { tokenHash } = before === 'an entry' ? await put() : aContext()
        await opened.cache.invalidate([tokenHash])
        await opened.age(tokenHash, 59_000)
        expect(await kind(tokenHash)).to.equal('invalid')
        await opened.age(tokenHash, 1000)
        expect(await kind(tokenHash)).to.equal('miss')
      })
    }

    it('B18 never keeps an entry past its token', async () => {
      const soon = await put({ expiresAtMs: NOW_MS + 5000 })
      await opened.age(soon.tokenHash, 4000)
      expect(await kind(soon.tokenHash)).to.equal('hit')
      await opened.age(soon.tokenHash, 1000)
      expect(await kind(soon.tokenHash)).to.equal('miss')
      expect(await kind((await put({ expiresAtMs: NOW_MS })).tokenHash)).to.equal('miss')
    })

    it('B19 a reader from before a revoke cannot bring the token back', async () => {
      const context = aContext()
      await opened.cache.invalidate([context.tokenHash])
      await opened.cache.put(context.tokenHash, context)
      expect(await kind(context.tokenHash)).to.equal('invalid')
    })

    it('B19 revoke beats fifty concurrent refills', async () => {
      const context = aContext()
      const refills = Array.from({ length: 50 }, (_, at) =>
        at === 25 ? opened.cache.invalidate([context.tokenHash]) : opened.cache.put(context.tokenHash, context),
      )
      await Promise.all(refills)
      expect(await kind(context.tokenHash)).to.equal('invalid')
    })

    it('a miss is never remembered over an entry, nor an entry over one', async () => {
      const context = await put()
      await opened.cache.putMiss(context.tokenHash)
      expect(await kind(context.tokenHash)).to.equal('hit')
      const late = aContext()
      await opened.cache.putMiss(late.tokenHash)
      await opened.cache.put(late.tokenHash, late)
      expect(await kind(late.tokenHash)).to.equal('invalid')
    })

    it('C11 a forgotten entry misses at once and refuses refills for 10 s', async () => {
      const context = await put()
      await opened.cache.forget([context.tokenHash])
      expect(await kind(context.tokenHash)).to.equal('miss')
      await opened.cache.put(context.tokenHash, context)
      expect(await kind(context.tokenHash)).to.equal('miss')
      await opened.age(context.tokenHash, 10_000)
      await opened.cache.put(context.tokenHash, context)
      expect(await kind(context.tokenHash)).to.equal('hit')
    })

    it('forgetting never ends a revoke early', async () => {
      const context = await put()
      await opened.cache.invalidate([context.tokenHash])
      await opened.cache.forget([context.tokenHash])
      await opened.age(context.tokenHash, 30_000)
      await opened.cache.put(context.tokenHash, context)
      expect(await kind(context.tokenHash)).to.equal('invalid')
    })

    it('C02 a verdict joins the others and leaves the remaining time as it is', async () => {
      const context = await put({ verifiedWorkspaces: { w1: true } })
      await opened.age(context.tokenHash, 40_000)
      await opened.cache.recordVerdict(context.tokenHash, context.cacheEntryId ?? '', 'w2', false)
      expect(await verdicts(context.tokenHash)).to.deep.equal({ w1: true, w2: false })
      await opened.age(context.tokenHash, 19_000)
      expect(await kind(context.tokenHash)).to.equal('hit')
      await opened.age(context.tokenHash, 1000)
      expect(await kind(context.tokenHash)).to.equal('miss')
    })

    it('C02 eight concurrent verdicts are all kept', async () => {
      const context = await put()
      const ids = ['1', '2', '3', '4', '5', '6', '7', '8']
      await Promise.all(
        ids.map((id) => opened.cache.recordVerdict(context.tokenHash, context.cacheEntryId ?? '', id, true)),
      )
      expect(Object.keys((await verdicts(context.tokenHash)) as object).sort()).to.deep.equal(ids)
    })

    it('C01 recording does nothing when the entry is missing, out of time, negative or forgotten', async () => {
      const hash = '0'.repeat(64)
      await opened.cache.recordVerdict(hash, 'e', 'w', true)
      expect(await kind(hash)).to.equal('miss')
      await opened.cache.invalidate([hash])
      await opened.cache.recordVerdict(hash, 'e', 'w', true)
      expect(await kind(hash)).to.equal('invalid')
      const forgotten = await put()
      await opened.cache.forget([forgotten.tokenHash])
      await opened.cache.recordVerdict(forgotten.tokenHash, forgotten.cacheEntryId ?? '', 'w', true)
      expect(await kind(forgotten.tokenHash)).to.equal('miss')
      const old = await put()
      await opened.age(old.tokenHash, 60_000)
      await opened.cache.recordVerdict(old.tokenHash, old.cacheEntryId ?? '', 'w', true)
      expect(await kind(old.tokenHash)).to.equal('miss')
    })

    it('C11 a verdict read from one entry is not recorded into its successor', async () => {
      const context = await put()
      await opened.cache.recordVerdict(context.tokenHash, 'the entry before', 'w', true)
      expect(await verdicts(context.tokenHash)).to.deep.equal({})
    })
  })
}
