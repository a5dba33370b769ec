import { expect } from 'chai'
import { type Disturbance, type Entry, violationsOf } from '../soak/history.ts'

const first: Entry = {
  did: 'approve',
  startMs: 100,
  endMs: 110,
  outcome: 'done',
  device: 'laptop',
  status: 200,
  error: null,
  flow: 1,
}
const entry = (overrides: Partial<Entry>): Entry => ({ ...first, ...overrides })
const poll = (overrides: Partial<Entry> = {}) =>
  entry({ did: 'poll', startMs: 120, endMs: 130, token: 't1', tokenId: 'row', ...overrides })
const use = (startMs: number, overrides: Partial<Entry> = {}): Entry => {
  const { flow: _, ...rest } = first
  return { ...rest, did: 'use', startMs, endMs: startMs + 5, token: 't1', tokenId: 'row', ...overrides }
}
const revoke = (overrides: Partial<Entry> = {}) => use(200, { did: 'revoke', endMs: 210, ...overrides })
const refused = { outcome: 'refused', status: 401 } as const
const unknown = { outcome: 'unknown', status: null } as const

const told = (entries: readonly Entry[], disturbances: readonly Disturbance[] = []) =>
  violationsOf({ entries, disturbances })
const outage: Disturbance = { name: 'Redis away', startMs: 150, endMs: 205, hitsCache: true }

describe('what the history of a soak may not hold', () => {
  it('a login, its use, its revoke and refusals after it are fine', () => {
    expect(
      told([first, poll(), poll({ ...refused, status: 400 }), use(140), revoke(), use(220, refused)]),
    ).to.deep.equal([])
  })

  it('a code that is redeemed twice', () => {
    expect(told([first, poll(), poll({ token: 't2' })])).to.deep.equal(['flow 1 was redeemed 2 times'])
  })

  it('a code that is redeemed although nobody approved it, or somebody denied it', () => {
    expect(told([poll()])).to.deep.equal(['flow 1 was redeemed and nobody approved it: poll 200 null 10 ms'])
    const denied = entry({ did: 'deny', startMs: 90, endMs: 95 })
    expect(told([entry(unknown), denied, poll()])).to.deep.equal(['flow 1 was denied and redeemed'])
  })

  it('a code that is decided twice', () => {
    expect(told([first, entry({ did: 'deny' })])).to.deep.equal(['flow 1 was decided 2 times: approve, deny'])
  })

  it('a token that works after its revoke was acknowledged, however it was named', () => {
    const late = ['laptop: a token worked 10 ms after its revoke was acknowledged']
    expect(told([first, poll(), revoke(), use(220)])).to.deep.equal(late)
    const { token: _, tokenId: __, ...byToken } = revoke()
    expect(told([first, poll(), { ...byToken, ended: 't1' }, use(220)])).to.deep.equal(late)
  })

  it('one that works after the next login of its device was approved', () => {
    const next = entry({ flow: 2, startMs: 200, endMs: 210 })
    expect(told([first, poll(), next, use(220)])).to.deep.equal([
      'laptop: a token worked 10 ms after its approve was acknowledged',
    ])
    expect(told([first, poll(), { ...next, device: 'phone' }, use(220)])).to.deep.equal([])
  })

  it('but a revoke that nobody acknowledged, or that was under way, says nothing', () => {
    expect(told([first, poll(), revoke(unknown), use(220), use(230, refused)])).to.deep.equal([])
    expect(told([first, poll(), revoke(), use(205)])).to.deep.equal([])
  })

  it('one that works more than a minute after, where the cache was away at the revoke', () => {
    expect(told([first, poll(), revoke(), use(220)], [outage])).to.deep.equal([])
    expect(told([first, poll(), revoke(), use(70_000)], [outage])).to.have.length(1)
    expect(told([first, poll(), revoke(), use(220)], [{ ...outage, hitsCache: false }])).to.have.length(1)
  })

  it('a token that is refused although nobody tried to end it', () => {
    expect(told([first, poll(), use(140, refused)])).to.deep.equal([
      'laptop: a live token was refused 30 ms after it was minted',
    ])
    expect(told([first, poll(), revoke({ ...refused, status: 404 }), use(220, refused)])).to.have.length(1)
  })

  it('an answer that is a fault, other than a store that is away', () => {
    expect(told([entry({ outcome: 'unknown', status: 503, error: 'service_unavailable' })])).to.deep.equal([])
    expect(told([entry({ outcome: 'unknown', status: 500, error: 'internal_server_error' })])).to.deep.equal([
      'laptop: approve was answered 500 internal_server_error',
    ])
  })
})
