import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { createSecretBox } from '#adapters/crypto/secret-box.ts'
import { createConsoleTokens } from '#adapters/jose/console-tokens.ts'
import { createSsoSealer } from '#adapters/jose/sso-sealer.ts'
import { makeLoadBindings } from '#application/use-cases/load-bindings.ts'
import { loadConfig } from '#src/config.ts'
import type { SigningKey } from '#src/config-reader.ts'
import { aPlace } from '../http/place.ts'

const keysOf = (text: string): readonly [SigningKey, ...SigningKey[]] => {
  const [first, ...rest] = loadConfig({ SECRET_KEY: text }).config.secretKeys ?? []
  if (first === undefined) throw new Error('no key')
  return [first, ...rest]
}
const BARE = 'b'.repeat(32)
const STEPS = [
  ['before', BARE, true],
  ['known beside it', `dify-shared-v1:${BARE},n:${'n'.repeat(32)}`, true],
  ['signing, the bare one second', `n:${'n'.repeat(32)},dify-shared-v1:${BARE}`, true],
  ['the bare one dropped', `n:${'n'.repeat(32)}`, false],
  ['another key under the old name', `dify-shared-v1:${'x'.repeat(32)}`, false],
] as const

describe('what SECRET_KEY signed or sealed', () => {
  const session = { accountId: 'a', family: 'f' }
  const now = () => Date.UTC(2026, 0, 1)

  for (const [step, text, survives] of STEPS) {
    it(`${step}: cookies of a bare key ${survives ? 'are read' : 'are refused'}`, async () => {
      const old = createConsoleTokens({ keys: keysOf(BARE), now })
      const rotated = createConsoleTokens({ keys: keysOf(text), now })
      const wanted = survives ? session : null
      expect(await rotated.readAccess(await old.signAccess(session, now() + 60_000))).to.deep.equal(wanted)
      expect(await rotated.readCsrf(await old.signCsrf(session, now() + 60_000))).to.deep.equal(wanted)
    })

    it(`${step}: an assertion and a grant of an external sign-on ${survives ? 'are read' : 'are refused'}`, async () => {
      const old = createSsoSealer({ keys: keysOf(BARE), now })
      const rotated = createSsoSealer({ keys: keysOf(text), now })
      const person = { email: 'eve@company.example', issuer: 'https://idp.company.example', userCode: 'ABCD-EFGH' }
      const assertion = { ...person, nonce: 'n' }
      expect(await rotated.readAssertion(await old.sealAssertion(assertion))).to.deep.equal(survives ? assertion : null)
      const grant = { ...assertion, csrfToken: 'c', expiresAtMs: now() + 60_000 }
      const sealed = await old.sealGrant(grant, 'https://api.example')
      expect(await rotated.readGrant(sealed, 'https://api.example')).to.deep.equal(survives ? grant : null)
    })

    it(`${step}: a key that a workspace bound ${survives ? 'is opened' : 'is as good as absent'}`, async () => {
      const place = await aPlace()
      try {
        const { workspaceId } = place.owner
        await place.ports.bindings.put({
          workspaceId,
          subject: { kind: 'model', provider: 'openai', name: 'gpt' },
          target: { via: 'endpoint', url: 'https://models.example/v1', model: 'gpt' },
          sealedKey: createSecretBox(keysOf(BARE)).seal('sk-secret'),
          updatedAtMs: place.clock.now(),
        })
        const box = createSecretBox(keysOf(text))
        const load = makeLoadBindings({ bindings: place.ports.bindings, secretBox: box })
        expect((await load(workspaceId)).model('openai', 'gpt')?.key).to.equal(survives ? 'sk-secret' : undefined)
      } finally {
        await place.close()
      }
    })
  }

  it('the steps of docs/operations.md, followed to the letter, sign nobody out before the last one', async () => {
    const text = await readFile(new URL('../../docs/operations.md', import.meta.url), 'utf8')
    const steps = [...text.matchAll(/^\d\. .*?`SECRET_KEY=([^`]+)`/gm)].map(([, value = '']) => value)
    const old = createConsoleTokens({ keys: keysOf(BARE), now })
    const cookie = await old.signAccess(session, now() + 60_000)
    const read = steps.slice(0, 2).map((step) => {
      const keys = keysOf(step.replace('OLDKEY', BARE).replace('NEWKEY', 'n'.repeat(32)))
      return createConsoleTokens({ keys, now }).readAccess(cookie)
    })
    expect(await Promise.all(read)).to.deep.equal([session, session])
  })
})
