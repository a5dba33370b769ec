import { expect } from 'chai'
import { expectNothingHandedOut, handedOutIn, noteExchange, noteSecret } from '../support/handed-out.ts'

const reply = (status: number, json: object, headers: [string, string][] = []) => ({
  status,
  json,
  text: JSON.stringify(json),
  headers: new Headers(headers),
})

describe('the search for what was handed out', () => {
  const SECRET = 'planted-secret-Q7x/9+z=&ä'
  noteSecret('planted', SECRET)

  const bytes = Buffer.from(SECRET)
  const SPELLINGS: Readonly<Record<string, string>> = {
    'as it is': SECRET,
    base64: bytes.toString('base64'),
    base64url: bytes.toString('base64url'),
    hexadecimal: bytes.toString('hex'),
    'percent-encoded': encodeURIComponent(SECRET),
  }
  for (const [how, spelt] of Object.entries(SPELLINGS)) {
    it(`E17 finds a planted secret ${how}, wherever it stands, and does not repeat it`, () => {
      for (const text of [spelt, `before ${spelt}`, `{"a":"${spelt}"}\n`]) {
        expect(() => expectNothingHandedOut('a log', text)).to.throw('E17 1 secrets in a log: planted plante…')
      }
      expect(() => expectNothingHandedOut('a log', spelt.slice(0, 10))).to.not.throw()
    })
  }

  it('E17 knows what an answer hands out, and what a request told, unless it was refused', () => {
    const own = (name: string) => `${name}-of-this-test-0123456789`
    const headers: [string, string][] = [
      ['Set-Cookie', `refresh_token=${own('cookie')}; HttpOnly`],
      ['Location', `https://idp.example/?state=${own('state')}`],
    ]
    noteExchange(
      [{ password: own('password') }],
      reply(200, { token: own('bearer'), device_code: own('code') }, headers),
    )
    noteExchange([{ password: own('wrong') }], reply(401, { token: own('no') }))
    const found = handedOutIn(['cookie', 'state', 'password', 'bearer', 'code', 'wrong', 'no'].map(own).join(' '))
    expect(found.map(({ kind }) => kind)).to.deep.equal([
      'refresh_token cookie',
      'sealed state',
      'password',
      'bearer',
      'device code',
    ])
  })

  it('E17 lets through what may stand there, there alone', () => {
    noteSecret('user code', 'QXYZ-3456')
    expect(() => expectNothingHandedOut('Redis', 'user-code:QXYZ-3456')).to.not.throw()
    expect(() => expectNothingHandedOut('the database', 'QXYZ-3456')).to.throw('E17')
  })
})
