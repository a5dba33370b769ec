import { expect } from 'chai'
import {
  ASSERTION_LIFETIME_S,
  ENVELOPE_LIFETIME_S,
  GRANT_LIFETIME_S,
  type SsoSealer,
} from '#application/ports/sso-sealer.ts'
import type { FakeClock } from '../support/clock.ts'

type Keys = readonly { readonly kid: string; readonly key: string }[]
type Opened = { readonly sealer: SsoSealer; readonly clock: FakeClock }

const NEW = { kid: 'new', key: 'n'.repeat(32) }
const OLD = { kid: 'old', key: 'o'.repeat(32) }
const ORIGIN = 'https://latchkey.example'

const ENVELOPE = { userCode: 'WDJB-MJHT', nonce: 'envelope-nonce', callbackUrl: `${ORIGIN}/back` }
const ASSERTION = {
  email: 'eve@company.example',
  issuer: 'https://idp.company.example',
  userCode: 'WDJB-MJHT',
  nonce: 'assertion-nonce',
}
const grantUntil = (expiresAtMs: number) => ({ ...ASSERTION, nonce: 'grant-nonce', csrfToken: 'csrf', expiresAtMs })

/** What every SsoSealer promises. */
export function ssoSealerContract(name: string, open: (keys: Keys) => Opened): void {
  describe(`SsoSealer contract: ${name}`, () => {
    /** Each kind of seal: how it is made, read, and how long it lives. */
    function kindsOf({ sealer, clock }: Opened) {
      const grant = grantUntil(clock.now() + GRANT_LIFETIME_S * 1000)
      return [
        {
          kind: 'envelope',
          value: ENVELOPE as unknown,
          seal: () => sealer.sealEnvelope(ENVELOPE),
          read: (sealed: string): Promise<unknown> => sealer.readEnvelope(sealed),
          lifetimeS: ENVELOPE_LIFETIME_S,
        },
        {
          kind: 'assertion',
          value: ASSERTION as unknown,
          seal: () => sealer.sealAssertion(ASSERTION),
          read: (sealed: string): Promise<unknown> => sealer.readAssertion(sealed),
          lifetimeS: ASSERTION_LIFETIME_S,
        },
        {
          kind: 'grant',
          value: grant as unknown,
          seal: () => sealer.sealGrant(grant, ORIGIN),
          read: (sealed: string): Promise<unknown> => sealer.readGrant(sealed, ORIGIN),
          lifetimeS: GRANT_LIFETIME_S,
        },
      ]
    }

    it('reads back what it sealed, and nothing for another purpose', async () => {
      const kinds = kindsOf(open([NEW]))
      for (const { kind, seal, value } of kinds) {
        const sealed = await seal()
        for (const other of kinds) {
          expect(await other.read(sealed), `${kind} as ${other.kind}`).to.deep.equal(other.kind === kind ? value : null)
        }
      }
    })

    it('ends at the lifetime of its kind, to the second', async () => {
      for (const at of [0, 1, 2]) {
        const opened = open([NEW])
        const { kind, seal, read, lifetimeS } = kindsOf(opened)[at] ?? expect.fail('there are three')
        const sealed = await seal()
        opened.clock.advance(lifetimeS * 1000 - 1000)
        expect(await read(sealed), kind).to.not.equal(null)
        opened.clock.advance(1000)
        expect(await read(sealed), kind).to.equal(null)
      }
    })

    it('rotates: what an older key sealed is still read, what a removed one sealed is not', async () => {
      const before = kindsOf(open([OLD]))
      for (const [at, { kind, seal }] of before.entries()) {
        const sealed = await seal()
        expect(await kindsOf(open([NEW, OLD]))[at]?.read(sealed), kind).to.not.equal(null)
        expect(await kindsOf(open([NEW]))[at]?.read(sealed), kind).to.equal(null)
        const fresh = await kindsOf(open([NEW, OLD]))[at]?.seal()
        expect(await before[at]?.read(fresh ?? ''), kind).to.equal(null)
      }
    })

    it('refuses another key under a known name', async () => {
      const own = kindsOf(open([NEW]))
      for (const [at, { kind, seal }] of kindsOf(open([{ kid: NEW.kid, key: 'f'.repeat(32) }])).entries()) {
        expect(await own[at]?.read(await seal()), kind).to.equal(null)
      }
    })

    it('refuses a grant that another server gave', async () => {
      const { sealer, clock } = open([NEW])
      const grant = grantUntil(clock.now() + 60_000)
      expect(await sealer.readGrant(await sealer.sealGrant(grant, 'https://other.example'), ORIGIN)).to.equal(null)
    })

    it('refuses a change of any character', async () => {
      for (const { kind, seal, read } of kindsOf(open([NEW]))) {
        const sealed = await seal()
        // The last character of each part also holds bits that decode to nothing.
        const ends = new Set([...sealed.matchAll(/\.|$/g)].map(({ index }) => index - 1))
        for (let at = 0; at < sealed.length; at++) {
          if (ends.has(at)) continue
          const other = sealed[at] === 'A' ? 'B' : 'A'
          expect(await read(sealed.slice(0, at) + other + sealed.slice(at + 1)), `${kind} at ${at}`).to.equal(null)
        }
      }
    })

    it('answers null to what was never sealed', async () => {
      for (const { kind, read } of kindsOf(open([NEW]))) {
        for (const junk of ['', '.', '..', 'a.b.c', 'a.b.c.d.e', 'ö', 'e30.e30.', '\0', 'x'.repeat(10_000)]) {
          expect(await read(junk), `${kind}: ${junk.slice(0, 10)}`).to.equal(null)
        }
      }
    })

    it('two hundred concurrent seals never mix', async () => {
      const { sealer } = open([NEW])
      const all = Array.from({ length: 200 }, (_, at) => ({ ...ASSERTION, nonce: `n${at}` }))
      const read = async (one: typeof ASSERTION) => sealer.readAssertion(await sealer.sealAssertion(one))
      expect(await Promise.all(all.map(read))).to.deep.equal(all)
    })
  })
}
