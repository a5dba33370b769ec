import { expect } from 'chai'
import { createChallenges } from '#adapters/crypto/challenges.ts'
import { createFileLinks } from '#adapters/crypto/file-links.ts'

const OLD = { kid: 'old', key: 'o'.repeat(32) }
const NEW = { kid: 'new', key: 'n'.repeat(32) }
const AT_MS = 1_700_000_000_000

describe('challenges between processes of one installation', () => {
  const ours = createChallenges([OLD])

  it('are opened by whoever shares the key, and answered with a proof that says nothing else', () => {
    const challenge = ours.issue(AT_MS)
    const opened = createChallenges([OLD]).open(challenge.text, AT_MS)
    const mac = opened?.sign('this') ?? ''
    expect(challenge.isAnswer('this', mac)).to.equal(true)
    expect(challenge.isAnswer('that', mac)).to.equal(false)
    expect(ours.issue(AT_MS).isAnswer('this', mac)).to.equal(false)
  })

  it('are good for a minute, and for clocks half a minute behind', () => {
    const { text } = ours.issue(AT_MS)
    const isOpen = (nowMs: number) => ours.open(text, nowMs) !== null
    expect([AT_MS - 30_000, AT_MS, AT_MS + 59_999].map(isOpen)).to.deep.equal([true, true, true])
    expect([AT_MS - 30_001, AT_MS + 60_000, AT_MS * 2].map(isOpen)).to.deep.equal([false, false, false])
  })

  it('are opened by an older key while the key is being changed, and by none that is gone', () => {
    const challenge = ours.issue(AT_MS)
    const opened = createChallenges([NEW, OLD]).open(challenge.text, AT_MS)
    expect(challenge.isAnswer('x', opened?.sign('x') ?? '')).to.equal(true)
    expect(createChallenges([NEW]).open(challenge.text, AT_MS)).to.equal(null)
  })

  it('are none when any part of them is another', () => {
    const { text } = ours.issue(AT_MS)
    const [nonce = '', issuedAtS = '', mac = ''] = text.split('.')
    const other = ours.issue(AT_MS).text.split('.')[0]
    const forged = [
      '',
      nonce,
      `${text}.`,
      ` ${text}`,
      `${nonce}.${issuedAtS}.`,
      `${nonce}.${issuedAtS}.${'A'.repeat(43)}`,
      `${other}.${issuedAtS}.${mac}`,
      `${nonce}.${Number(issuedAtS) + 1}.${mac}`,
      `${nonce}.0${issuedAtS}.${mac}`,
      'x'.repeat(100_000),
    ]
    for (const one of forged) expect(ours.open(one, AT_MS), one.slice(0, 80)).to.equal(null)
  })

  // A server that only sends back what it was asked would else pass for ours.
  it('prove nothing when they are sent back', () => {
    const challenge = ours.issue(AT_MS)
    const [nonce = '', issuedAtS = '', mac = ''] = challenge.text.split('.')
    for (const said of [issuedAtS, challenge.text, `${nonce}\n${issuedAtS}`, '']) {
      expect(challenge.isAnswer(said, mac)).to.equal(false)
      expect(challenge.isAnswer(said, '')).to.equal(false)
    }
  })

  it('are signed with a key that signs nothing else', () => {
    const link = createFileLinks([OLD]).sign('a', AT_MS)
    const sign = new URLSearchParams(link.split('?')[1]).get('sign')
    const { text } = ours.issue(AT_MS)
    expect(ours.open(text.replace(/[^.]+$/, sign ?? ''), AT_MS)).to.equal(null)
  })
})
