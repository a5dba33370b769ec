import { expect } from 'chai'
import { createFileLinks } from '#adapters/crypto/file-links.ts'

const ID = '01900000-0000-7000-8000-000000000001'
const [OLD, NEW] = [
  { kid: 'old', key: 'o'.repeat(32) },
  { kid: 'new', key: 'n'.repeat(32) },
]
const queryOf = (link: string) => Object.fromEntries(new URL(link, 'http://x').searchParams)

describe('links to files', () => {
  it('hold until they expire, for one file, and until their key is gone', () => {
    const link = createFileLinks([OLD]).sign(ID, 60_000)
    const holds = (keys: readonly (typeof OLD)[], id = ID, nowMs = 59_999) =>
      createFileLinks(keys).verify(id, queryOf(link), nowMs)
    expect(holds([OLD])).to.equal(true)
    // Rotating: the new key signs, and the old one still verifies.
    expect(holds([NEW, OLD])).to.equal(true)
    expect(holds([NEW])).to.equal(false)
    expect(holds([OLD], ID, 60_000)).to.equal(false)
    expect(holds([OLD], ID.replace('1', '2'))).to.equal(false)
  })

  it('with any byte changed, missing or added are none', () => {
    const links = createFileLinks([OLD])
    const { expires = '', sign = '' } = queryOf(links.sign(ID, 60_000))
    expect(links.verify(ID, { expires, sign }, 0)).to.equal(true)
    const changed = [
      {},
      { expires },
      { sign },
      { expires: '', sign },
      { expires: `${expires}0`, sign },
      { expires: ` ${expires}`, sign },
      { expires: '1e9', sign },
      { expires, sign: sign.slice(1) },
      { expires, sign: `${sign}AA` },
      { expires, sign: `A${sign.slice(1)}` === sign ? `B${sign.slice(1)}` : `A${sign.slice(1)}` },
    ]
    for (const query of changed) expect(links.verify(ID, query, 0), JSON.stringify(query)).to.equal(false)
  })
})
