import type { IncomingMessage } from 'node:http'
import { expect } from 'chai'
import fc from 'fast-check'
import { makeClientAddress } from '#adapters/http/client-address.ts'

/** What a request from `peer` with these headers is taken to come from. */
function addressOf(trusted: readonly string[], peer: string | undefined, headers: Record<string, string> = {}): string {
  // All that the address is read from.
  const request = { socket: { remoteAddress: peer }, headers } as unknown as IncomingMessage
  return makeClientAddress(trusted)(request)
}

const PROXIES = ['10.0.0.0/8', '2001:db8:ffff::/48']

describe('the client’s address', () => {
  const xff = (list: string) => ({ 'x-forwarded-for': list })

  it('E27 is the socket’s when nobody is trusted, whatever headers say', () => {
    for (const headers of [xff('203.0.113.7'), { forwarded: 'for=203.0.113.7' }, { 'x-real-ip': '203.0.113.7' }]) {
      expect(addressOf([], '198.51.100.1', headers)).to.equal('198.51.100.1')
    }
  })

  it('E27 headers of an untrusted peer are forged, trusted proxies or not', () => {
    expect(addressOf(PROXIES, '198.51.100.1', xff('203.0.113.7'))).to.equal('198.51.100.1')
    expect(addressOf(PROXIES, '11.0.0.1', { forwarded: 'for=203.0.113.7' })).to.equal('11.0.0.1')
  })

  it('is the right-most hop that is not trusted: what stands left of it was sent by the client', () => {
    expect(addressOf(PROXIES, '10.1.1.1', xff('203.0.113.7'))).to.equal('203.0.113.7')
    expect(addressOf(PROXIES, '10.1.1.1', xff('1.1.1.1, 203.0.113.7'))).to.equal('203.0.113.7')
    expect(addressOf(PROXIES, '10.1.1.1', xff('1.1.1.1, 203.0.113.7, 10.2.2.2'))).to.equal('203.0.113.7')
    expect(addressOf(PROXIES, '10.1.1.1', xff('10.9.9.9, 203.0.113.7, 10.2.2.2'))).to.equal('203.0.113.7')
  })

  it('is the first hop when all are trusted, and the peer when there is none', () => {
    expect(addressOf(PROXIES, '10.1.1.1', xff('10.3.3.3, 10.2.2.2'))).to.equal('10.3.3.3')
    expect(addressOf(PROXIES, '10.1.1.1')).to.equal('10.1.1.1')
    expect(addressOf(PROXIES, '10.1.1.1', xff(' , '))).to.equal('10.1.1.1')
  })

  it('a hop that is no address ends the search at the peer, and is never repeated', () => {
    for (const hop of ['unknown', '_hidden', '<script>', '203.0.113.7.', "1.1.1.1' or 1=1"]) {
      expect(addressOf(PROXIES, '10.1.1.1', xff(`203.0.113.7, ${hop}`)), hop).to.equal('10.1.1.1')
    }
  })

  it('reads RFC 7239, quoted, with ports and in any case', () => {
    for (const [forwarded, address] of [
      ['for=203.0.113.7', '203.0.113.7'],
      ['For="203.0.113.7:4711";proto=https', '203.0.113.7'],
      ['proto=https;for="[2001:db8::1]:4711"', '2001:db8::1'],
      ['for=1.1.1.1, for=203.0.113.7;by=10.2.2.2, for=10.2.2.2', '203.0.113.7'],
    ] as const) {
      expect(addressOf(PROXIES, '10.1.1.1', { forwarded }), forwarded).to.equal(address)
    }
  })

  it('reads hops that carry a port', () => {
    expect(addressOf(PROXIES, '10.1.1.1', xff('203.0.113.7:4711'))).to.equal('203.0.113.7')
    expect(addressOf(PROXIES, '10.1.1.1', xff('[2001:db8::1]:4711'))).to.equal('2001:db8::1')
  })

  it('IPv4-mapped IPv6 is the IPv4 address, of peers, hops and ranges', () => {
    expect(addressOf([], '::ffff:203.0.113.7')).to.equal('203.0.113.7')
    expect(addressOf(PROXIES, '::ffff:10.1.1.1', xff('::ffff:203.0.113.7'))).to.equal('203.0.113.7')
    expect(addressOf(['::ffff:10.0.0.0/104'], '10.1.1.1', xff('203.0.113.7'))).to.equal('203.0.113.7')
    expect(addressOf(['::ffff:10.0.0.0/104'], '11.1.1.1', xff('203.0.113.7'))).to.equal('11.1.1.1')
    expect(addressOf(['2001::ffff:0/112'], '2001:1::1', xff('203.0.113.7'))).to.equal('2001:1::1')
    expect(addressOf(['2001::ffff:0/112'], '2001::ffff:1', xff('203.0.113.7'))).to.equal('203.0.113.7')
  })

  it('a range holds what it says, to the bit, whatever stands in it', () => {
    const bytes = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255))
    const near = fc.tuple(bytes, fc.nat(32), fc.nat(31)).map(([octets, bits, flipped]) => {
      const network = octets.join('.')
      // An address that differs from the network in one bit is in the range when that bit is beyond the prefix.
      const at = flipped >> 3
      const changed = octets.map((octet, index) => (index === at ? octet ^ (128 >> (flipped & 7)) : octet))
      return { range: `${network}/${bits}`, address: changed.join('.'), isWithin: flipped >= bits }
    })
    fc.assert(
      fc.property(near, ({ range, address, isWithin }) => {
        expect(addressOf([range], address, xff('198.51.100.7'))).to.equal(isWithin ? '198.51.100.7' : address)
      }),
      { numRuns: 1000 },
    )
  })

  it('IPv6 proxies and clients have one spelling', () => {
    expect(addressOf(PROXIES, '2001:db8:ffff:0:0::1', xff('2001:0DB8:0:0::0001'))).to.equal('2001:db8::1')
  })

  it('a socket that is gone already is “unknown”', () => {
    expect(addressOf([], undefined)).to.equal('unknown')
  })
})
