import { expect } from 'chai'
import type { ConsoleTokens } from '#application/ports/console-tokens.ts'
import type { FakeClock } from '../support/clock.ts'

type Keys = readonly { readonly kid: string; readonly key: string }[]
type Opened = { readonly tokens: ConsoleTokens; readonly clock: FakeClock }

const NEW = { kid: 'new', key: 'n'.repeat(32) }
const OLD = { kid: 'old', key: 'o'.repeat(32) }
const SESSION = { accountId: 'account-1', family: 'family-1' }

/** What every ConsoleTokens promises. */
export function consoleTokensContract(name: string, open: (keys: Keys) => Opened): void {
  describe(`ConsoleTokens contract: ${name}`, () => {
    const hour = (clock: FakeClock) => clock.now() + 3_600_000

    it('reads back who signed in', async () => {
      const { tokens, clock } = open([NEW])
      expect(await tokens.readAccess(await tokens.signAccess(SESSION, hour(clock)))).to.deep.equal(SESSION)
      expect(await tokens.readCsrf(await tokens.signCsrf(SESSION, hour(clock)))).to.deep.equal(SESSION)
    })

    it('never takes the readable CSRF token for a session, nor the other way', async () => {
      const { tokens, clock } = open([NEW])
      expect(await tokens.readAccess(await tokens.signCsrf(SESSION, hour(clock)))).to.equal(null)
      expect(await tokens.readCsrf(await tokens.signAccess(SESSION, hour(clock)))).to.equal(null)
    })

    it('ends at its expiry, to the second', async () => {
      const { tokens, clock } = open([NEW])
      const token = await tokens.signAccess(SESSION, clock.now() + 60_000)
      clock.advance(59_000)
      expect(await tokens.readAccess(token)).to.deep.equal(SESSION)
      clock.advance(1000)
      expect(await tokens.readAccess(token)).to.equal(null)
    })

    it('rotates: what an older key signed is still read, what a removed one signed is not', async () => {
      const before = open([OLD])
      const token = await before.tokens.signAccess(SESSION, hour(before.clock))
      expect(await open([NEW, OLD]).tokens.readAccess(token)).to.deep.equal(SESSION)
      expect(await open([NEW]).tokens.readAccess(token)).to.equal(null)
      const after = open([NEW, OLD])
      const fresh = await after.tokens.signAccess(SESSION, hour(after.clock))
      expect(await before.tokens.readAccess(fresh)).to.equal(null)
    })

    it('refuses another key under a known name', async () => {
      const forger = open([{ kid: NEW.kid, key: 'f'.repeat(32) }])
      const token = await forger.tokens.signAccess(SESSION, hour(forger.clock))
      expect(await open([NEW]).tokens.readAccess(token)).to.equal(null)
    })

    it('refuses a change of any character', async () => {
      const { tokens, clock } = open([NEW])
      const token = await tokens.signAccess(SESSION, hour(clock))
      // The last character of each part also holds bits that decode to nothing.
      const ends = new Set([...token.matchAll(/\.|$/g)].map(({ index }) => index - 1))
      for (let at = 0; at < token.length; at++) {
        if (ends.has(at)) continue
        const other = token[at] === 'A' ? 'B' : 'A'
        expect(await tokens.readAccess(token.slice(0, at) + other + token.slice(at + 1)), `at ${at}`).to.equal(null)
      }
    })

    it('answers null to what is no token at all', async () => {
      const { tokens } = open([NEW])
      for (const token of ['', '.', '..', 'a.b.c', 'ö', 'e30.e30.', '\0', 'x'.repeat(10_000)]) {
        expect(await tokens.readAccess(token), token).to.equal(null)
      }
    })

    it('two hundred concurrent sessions never mix', async () => {
      const { tokens, clock } = open([NEW])
      const sessions = Array.from({ length: 200 }, (_, at) => ({ accountId: `a${at}`, family: `f${at}` }))
      const read = async (session: typeof SESSION) => tokens.readAccess(await tokens.signAccess(session, hour(clock)))
      expect(await Promise.all(sessions.map(read))).to.deep.equal(sessions)
    })
  })
}
