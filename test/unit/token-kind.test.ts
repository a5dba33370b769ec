import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { expect } from 'chai'
import { assertMintable } from '#domain/oauth-access-token.ts'
import {
  ACCOUNT_TOKEN,
  EXTERNAL_TOKEN,
  formatToken,
  parseTokenKind,
  TOKEN_KINDS,
  tokenKindRegistry,
} from '#domain/token-kind.ts'

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const ACCOUNT = { type: 'account', accountId: 'a', email: 'a@b.example' } as const
const EXTERNAL = { type: 'external_sso', email: 'a@b.example', issuer: 'https://idp.example' } as const

describe('token kinds', () => {
  it('B01 an external token carries apps:run and apps:read:permitted, an account token exactly full', () => {
    expect(EXTERNAL_TOKEN.scopes).to.deep.equal(['apps:run', 'apps:read:permitted'])
    expect(ACCOUNT_TOKEN.scopes).to.deep.equal(['full'])
  })

  it('two kinds with one prefix stop the start', () => {
    expect(() => tokenKindRegistry([ACCOUNT_TOKEN, { ...EXTERNAL_TOKEN, prefix: 'dfoa_' }])).to.throw('share a prefix')
  })

  it('a token is its prefix and 43 base64url characters: 28 random bytes and their CRC-32', () => {
    for (const kind of TOKEN_KINDS) {
      const random = randomBytes(28)
      const token = formatToken(kind, random)
      expect(token).to.match(new RegExp(`^${kind.prefix}[A-Za-z0-9_-]{43}$`))
      const bytes = Buffer.from(token.slice(kind.prefix.length), 'base64url')
      expect(bytes.subarray(0, 28).equals(random)).to.equal(true)
      expect(bytes.readUInt32BE(28)).to.equal(crc32(random, crc32(kind.prefix)))
      expect(parseTokenKind(token)).to.equal(kind)
    }
  })

  it('takes exactly 28 random bytes', () => {
    for (const count of [0, 27, 29]) expect(() => formatToken(ACCOUNT_TOKEN, randomBytes(count))).to.throw('28')
  })

  it('B07 any one wrong character is found without asking anybody', () => {
    const token = formatToken(ACCOUNT_TOKEN, Buffer.alloc(28, 7))
    for (let at = 5; at < token.length; at++) {
      // The last character has two bits that decode to nothing.
      const step = at === token.length - 1 ? 4 : 1
      const wrong = BASE64URL[(BASE64URL.indexOf(token.charAt(at)) + step) % 64]
      expect(parseTokenKind(token.slice(0, at) + wrong + token.slice(at + 1)), `at ${at}`).to.equal(null)
    }
  })

  it('B07 a token moved under the other prefix, cut, lengthened or swapped around is none', () => {
    const token = formatToken(ACCOUNT_TOKEN, randomBytes(28))
    const body = token.slice(5)
    const swapped = `dfoa_${body[1]}${body[0]}${body.slice(2)}`
    const broken = [
      `dfoe_${body}`,
      token.slice(0, -1),
      `${token}A`,
      `${token}=`,
      `${token}\n`,
      ` ${token}`,
      token.toUpperCase(),
    ]
    for (const one of swapped === token ? broken : [...broken, swapped]) expect(parseTokenKind(one), one).to.equal(null)
  })

  it('B22 app keys, passports and other prefixes are no tokens', () => {
    const body = formatToken(ACCOUNT_TOKEN, randomBytes(28)).slice(5)
    for (const other of [`app-${body}`, `dfp_${body}`, `DFOA_${body}`, `dfoa${body}`, body, '', 'dfoa_', 'dfoa_\0']) {
      expect(parseTokenKind(other), other).to.equal(null)
    }
  })

  it('F11 only a registered triple of subject, prefix and scopes can be minted', () => {
    assertMintable(ACCOUNT_TOKEN, ACCOUNT, ['full'])
    assertMintable(EXTERNAL_TOKEN, EXTERNAL, ['apps:read:permitted', 'apps:run'])
    expect(() => assertMintable(ACCOUNT_TOKEN, EXTERNAL, ['full'])).to.throw('one registered kind')
    expect(() => assertMintable(EXTERNAL_TOKEN, ACCOUNT, EXTERNAL_TOKEN.scopes)).to.throw('one registered kind')
    expect(() => assertMintable(EXTERNAL_TOKEN, EXTERNAL, ['full'])).to.throw('one registered kind')
    expect(() => assertMintable(EXTERNAL_TOKEN, EXTERNAL, ['apps:run'])).to.throw('one registered kind')
    expect(() => assertMintable(EXTERNAL_TOKEN, EXTERNAL, ['apps:run', 'apps:run'])).to.throw('one registered kind')
    expect(() => assertMintable({ ...ACCOUNT_TOKEN, prefix: 'app-' }, ACCOUNT, ['full'])).to.throw('registered')
    for (const issuer of ['', ' ', 'dify:account', ' dify:account ']) {
      expect(() => assertMintable(EXTERNAL_TOKEN, { ...EXTERNAL, issuer }, EXTERNAL_TOKEN.scopes)).to.throw('issuer')
    }
  })
})
