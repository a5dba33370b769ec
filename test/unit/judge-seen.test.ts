import { expect } from 'chai'
import type { Seen } from '#adapters/http/routes/seen.ts'
import { SECURITY_HEADERS } from '#adapters/http/security-headers.ts'
import { FORGED, judgeSeen } from '#src/doctor/judge-seen.ts'

const HTTPS = 'https://chat.example'
const HTTP = 'http://10.0.0.9:5001'
const PERSON = '198.51.100.4'
const XFF = FORGED['X-Forwarded-For']

/** Through one proxy that does it right. */
const GOOD: Seen = {
  peer: '10.0.0.2',
  isPeerTrusted: true,
  client: PERSON,
  hops: 1,
  furthest: PERSON,
  proto: 'https',
  host: 'chat.example',
}
/** With nothing in front. */
const DIRECT: Seen = {
  peer: PERSON,
  isPeerTrusted: false,
  client: PERSON,
  hops: 0,
  furthest: null,
  proto: null,
  host: '10.0.0.9:5001',
}
const WHOLE: Readonly<Record<string, string>> = { 'Cache-Control': 'no-store', ...Object.fromEntries(SECURITY_HEADERS) }

const judge = (
  origin: string,
  plain: Partial<Seen>,
  forged: Partial<Seen> | null = plain,
  headers: Readonly<Record<string, string>> = WHOLE,
) =>
  judgeSeen(origin, {
    plain: { ...GOOD, ...plain },
    forged: forged === null ? null : { ...GOOD, ...forged },
    headers: new Headers(headers),
  }).map(({ status, what, fix }) => ({ status, line: `${what} → ${fix}` }))

describe('what the server saw of a request is judged', () => {
  it('passes a proxy that overwrites, and says the way', () => {
    expect(judgeSeen(HTTPS, { plain: GOOD, forged: GOOD, headers: new Headers(WHOLE) })).to.deep.equal([
      {
        check: `proxy ${HTTPS}`,
        status: 'ok',
        what: `seen from ${PERSON}, through one proxy, by https, as chat.example; a forged address is not believed`,
        fix: null,
      },
    ])
  })

  const FORGERY: readonly [title: string, origin: string, plain: Partial<Seen>, forged: Partial<Seen> | null][] = [
    ['a proxy that appends', HTTPS, {}, { hops: 2, furthest: XFF }],
    ['two proxies, both trusted', HTTPS, { hops: 2 }, { hops: 3, furthest: XFF }],
    ['a proxy that refuses what is forged', HTTPS, {}, null],
    [
      'nothing in front, and a forged header that counts for nothing',
      HTTP,
      DIRECT,
      { ...DIRECT, hops: 1, furthest: XFF },
    ],
  ]
  for (const [title, origin, plain, forged] of FORGERY) {
    it(`passes ${title}`, () => expect(judge(origin, plain, forged)).to.have.nested.property('[0].status', 'ok'))
  }

  const FAULTS: readonly [
    title: string,
    origin: string,
    plain: Partial<Seen>,
    forged: Partial<Seen> | null,
    status: string,
    line: RegExp,
  ][] = [
    [
      'fails a forged X-Forwarded-For that is believed because the proxy keeps what it was told',
      HTTPS,
      {},
      { client: XFF, furthest: XFF },
      'fail',
      /a forged X-Forwarded-For arrives unchanged and is believed.* → let the proxy overwrite X-Forwarded-For/,
    ],
    [
      'fails a forged Forwarded that is believed because the proxy takes out only the other header',
      HTTPS,
      {},
      { client: FORGED.Forwarded, furthest: FORGED.Forwarded },
      'fail',
      /a forged Forwarded arrives unchanged.* → let the proxy overwrite Forwarded/,
    ],
    [
      'warns when this machine itself is among the trusted',
      HTTPS,
      { client: '10.0.0.7', furthest: '10.0.0.7' },
      { client: XFF, furthest: XFF, hops: 2 },
      'warn',
      /TRUSTED_PROXIES holds 10\.0\.0\.7, from where this was asked.* → let TRUSTED_PROXIES name the addresses of the proxies/,
    ],
    [
      'fails a proxy that is not trusted, and names the line that is missing',
      HTTPS,
      { isPeerTrusted: false, client: '10.0.0.2' },
      { isPeerTrusted: false, client: '10.0.0.2', hops: 2, furthest: XFF },
      'fail',
      /the proxy at 10\.0\.0\.2 is not in TRUSTED_PROXIES.* → add 10\.0\.0\.2\/32 to TRUSTED_PROXIES/,
    ],
    [
      'fails the same over IPv6',
      HTTPS,
      { peer: 'fd00::2', isPeerTrusted: false, client: 'fd00::2' },
      null,
      'fail',
      / → add fd00::2\/128 to TRUSTED_PROXIES/,
    ],
    [
      'fails an outer proxy that is not trusted though the inner one is',
      HTTPS,
      { client: '192.0.2.80', hops: 2 },
      { client: '192.0.2.80', hops: 3, furthest: XFF },
      'fail',
      /the outer proxy at 192\.0\.2\.80 is not in TRUSTED_PROXIES.* → add 192\.0\.2\.80\/32/,
    ],
    [
      'fails a proxy that says nothing of who asks',
      HTTPS,
      { hops: 0, furthest: null, client: '10.0.0.2' },
      { hops: 0, furthest: null, client: '10.0.0.2' },
      'fail',
      /the proxy at 10\.0\.0\.2 does not say for whom it asks.* → let it set X-Forwarded-For/,
    ],
    [
      'fails a proxy that shows itself by X-Forwarded-Proto alone',
      HTTP,
      { ...DIRECT, proto: 'http' },
      { ...DIRECT, proto: 'http' },
      'fail',
      /does not say for whom it asks/,
    ],
    [
      'fails a proxy that writes something other than an address',
      HTTPS,
      { furthest: null, client: '10.0.0.2' },
      { furthest: null, client: '10.0.0.2' },
      'fail',
      /is no address: .* → let it write the address of whoever asks/,
    ],
    [
      'warns when a part of the way is http though the origin is https',
      HTTPS,
      { proto: 'http' },
      { proto: 'http' },
      'warn',
      /X-Forwarded-Proto says http although the origin is https/,
    ],
  ]
  for (const [title, origin, plain, forged, status, line] of FAULTS) {
    it(title, () => {
      const found = judge(origin, plain, forged)
      expect(found.map((one) => one.status)).to.deep.equal([status])
      expect(found[0]?.line).to.match(line)
    })
  }

  it('has no word about X-Forwarded-Proto when nobody sets it, or the origin is http', () => {
    expect(judge(HTTPS, { proto: null })).to.have.nested.property('[0].status', 'ok')
    expect(judge(HTTP, { proto: 'http' })).to.have.nested.property('[0].status', 'ok')
  })

  it('names what is missing of the headers of an answer, each in its line', () => {
    const { 'X-Frame-Options': _, ...framed } = WHOLE
    expect(judge(HTTPS, {}, {}, framed))
      .to.have.nested.property('[0].line')
      .that.contains('without X-Frame-Options →')
    const kept = judge(HTTPS, {}, {}, { ...WHOLE, 'Cache-Control': 'public, max-age=60' })
    expect(kept).to.have.nested.property('[0].line').that.contains('Cache-Control: no-store does not arrive')
    expect(judge(HTTPS, {}, {}, {}).map(({ status }) => status)).to.deep.equal(['warn', 'warn'])
  })

  it('tells everything that it found', () => {
    const found = judge(HTTPS, { isPeerTrusted: false, proto: 'http' }, null, {})
    expect(found.map(({ status }) => status)).to.deep.equal(['fail', 'warn', 'warn', 'warn'])
  })
})
