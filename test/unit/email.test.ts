import { expect } from 'chai'
import { isEmail, normaliseEmail } from '#domain/email.ts'

describe('emails', () => {
  it('are one whatever the case of their letters and the blanks around them', () => {
    expect(normaliseEmail('  Mia.ÖZ@Example.TEST ')).to.equal('mia.öz@example.test')
  })

  // Who has an address with such a sign verified must not come as the person with the plain letter.
  for (const [name, sign] of [
    ['Kelvin', '\u212A'],
    ['Ångström', '\u212B'],
    ['Ohm', '\u2126'],
  ] as const) {
    it(`security: the ${name} sign does not become a letter of another person's address`, () => {
      expect(normaliseEmail(`Mar${sign}@example.test`)).to.equal(`mar${sign}@example.test`)
    })
  }

  for (const email of [
    'mia\u001b[2J@example.test',
    'mia@exa\u0085mple.test',
    'mia\n@example.test',
    'a@b@c',
    '@a',
    'a@',
  ]) {
    it(`security: ${JSON.stringify(email)} is none`, () => expect(isEmail(email)).to.equal(false))
  }
})
