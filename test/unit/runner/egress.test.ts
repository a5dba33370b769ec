import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { type EgressRules, isTrustedHost, mayReach } from '#adapters/runner-native/egress/address-policy.ts'
import { checkTarget } from '#adapters/runner-native/egress/check-target.ts'
import { createGuardedEgress } from '#adapters/runner-native/egress/guarded-egress.ts'
import { EgressFailure, type EgressRequest } from '#adapters/runner-native/egress/http-egress.ts'
import type { Timer } from '#application/ports/clock.ts'
import { aTimer } from './support.ts'

const CLOSED: EgressRules = { allowCidrs: [], allowHosts: [] }
const noTimer: Timer = () => () => {}

describe('egress rules', () => {
  const closed = [
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '192.0.0.8',
    '198.18.0.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '::ffff:8.8.8.8',
    '64:ff9b::127.0.0.1',
    '64:ff9b::8.8.8.8',
    '64:ff9b:1::a00:1',
    '2002:7f00:1::',
    '2002:808:808::',
    '2001::1',
    'fe80::1',
    'fc00::1',
    'fd12:3456::1',
    'fec0::1',
    'ff02::1',
    '2001:db8::1',
    '100::1',
    '5f00::1',
    '4000::1',
    'not an address',
    '',
  ]
  for (const address of closed) {
    it(`keep apps from ${address || 'nothing'}`, () => expect(mayReach(address, CLOSED)).to.equal(false))
  }
  for (const address of ['8.8.8.8', '93.184.216.34', '2606:4700::1111']) {
    it(`let apps reach ${address}`, () => expect(mayReach(address, CLOSED)).to.equal(true))
  }

  it('open networks that the operator names, also behind a wrapper, and nothing beside them', () => {
    const rules = { allowCidrs: ['10.1.0.0/16', 'fd00::/8'], allowHosts: [] }
    expect(
      ['10.1.2.3', '::ffff:10.1.2.3', '64:ff9b::10.1.2.3', 'fd00::1'].map((one) => mayReach(one, rules)),
    ).to.deep.equal([true, true, true, true])
    expect(['10.2.0.1', '::ffff:10.2.0.1', 'fc00::1', '127.0.0.1'].map((one) => mayReach(one, rules))).to.deep.equal([
      false,
      false,
      false,
      false,
    ])
  })

  it('trust a host by its whole name, and by its port when one is named', () => {
    const rules = { allowCidrs: [], allowHosts: ['Sandbox', 'tools.internal:8080'] }
    expect(isTrustedHost('sandbox', 80, rules)).to.equal(true)
    expect(isTrustedHost('sandbox.', 80, rules)).to.equal(true)
    expect(isTrustedHost('tools.internal', 8080, rules)).to.equal(true)
    expect(isTrustedHost('tools.internal', 80, rules)).to.equal(false)
    expect(isTrustedHost('evil-sandbox', 80, rules)).to.equal(false)
    expect(isTrustedHost('sandbox.evil.test', 80, rules)).to.equal(false)
  })
})

describe('egress targets', () => {
  const refusalOf = async (url: string, addresses: readonly string[] = []) => {
    try {
      await checkTarget(url, CLOSED, async () => addresses)
      return null
    } catch (error) {
      if (error instanceof EgressFailure) return error.kind
      throw error
    }
  }
  // A guard in the lookup never sees these: they are connected to without one.
  const literals = [
    'http://127.0.0.1',
    'http://127.0.0.1.',
    'http://127.1',
    'http://2130706433',
    'http://0x7f.1',
    'http://0x7f000001',
    'http://0177.0.0.1',
    'http://①②⑦.0.0.1',
    'http://0',
    'http://[::1]',
    'http://[::]',
    'http://[::ffff:127.0.0.1]',
    'http://[::ffff:7f00:1]',
    'http://[0:0:0:0:0:ffff:127.0.0.1]',
    'http://[::127.0.0.1]',
    'http://[64:ff9b::7f00:1]',
    'http://[2002:7f00:1::]',
    'http://169.254.169.254/latest/meta-data',
    'HTTP://10.0.0.1:8080/x',
  ]
  for (const url of literals) {
    it(`keep apps from the literal ${url}`, async () => expect(await refusalOf(url)).to.equal('refused'))
  }
  for (const url of [
    'file:///etc/passwd',
    'ftp://example.test',
    'gopher://127.0.0.1:6379/_',
    'data:text/plain,x',
    '//example.test',
    'http://',
    'http:example.test',
    'http://user:secret@example.test',
    'http://[fe80::1%25eth0]',
    `http://example.test/${'x'.repeat(9000)}`,
  ]) {
    it(`refuse ${url.slice(0, 40)}`, async () => expect(await refusalOf(url, ['8.8.8.8'])).to.equal('refused'))
  }

  it('are refused when a single one of their addresses is closed', async () => {
    expect(await refusalOf('http://rebind.test', ['8.8.8.8', '127.0.0.1'])).to.equal('refused')
    expect(await refusalOf('http://rebind.test', ['8.8.8.8', '::1'])).to.equal('refused')
    expect(await refusalOf('http://good.test', ['8.8.8.8', '1.1.1.1'])).to.equal(null)
    expect(await refusalOf('http://none.test', [])).to.equal('failed')
  })

  it('never tell which address a name has', async () => {
    const failure = await checkTarget('http://inside.test', CLOSED, async () => ['10.9.8.7']).catch((error) => error)
    expect(failure.message).to.include('inside.test').and.not.include('10.9.8.7')
  })
})

describe('guarded egress', () => {
  let server: Server
  let port: number
  let answer: (request: IncomingMessage, response: ServerResponse) => void
  let seen: IncomingMessage[]

  before(async () => {
    server = createServer((request, response) => {
      seen.push(request)
      answer(request, response)
    })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    port = (server.address() as AddressInfo).port // a TCP listener's address is never a path
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  beforeEach(() => {
    seen = []
    answer = (_request, response) => response.end('hello')
  })

  const aRequest = (url: string, parts: Partial<EgressRequest> = {}): EgressRequest => ({
    method: 'GET',
    url,
    headers: [],
    body: null,
    secretHeaders: [],
    connectMs: 2000,
    totalMs: 5000,
    maxBytes: 1000,
    ...parts,
  })
  const live = () => new AbortController().signal
  /** Trusts the name `inside.test`, which is this server; other names are public, or whatever they say. */
  const egress = (timer = noTimer, names: Readonly<Record<string, readonly string[]>> = {}) =>
    createGuardedEgress({
      rules: { allowCidrs: [], allowHosts: [`inside.test:${port}`] },
      timer,
      lookup: async (hostname) => names[hostname] ?? ['127.0.0.1'],
    })
  const at = (path: string, host = 'inside.test') => `http://${host}:${port}${path}`
  const failureOf = async (work: Promise<unknown>): Promise<EgressFailure> => {
    const failure = await work.then(
      () => null,
      (error: unknown) => error,
    )
    if (failure instanceof EgressFailure) return failure
    throw new Error('it should have failed')
  }

  it('sends what it was given, to the host by its name', async () => {
    const chunks: Buffer[] = []
    answer = (request, response) => {
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => response.writeHead(201, { 'x-a': ['1', '2'] }).end('made'))
    }
    const headers = [
      ['X-Twice', 'a'],
      ['X-Twice', 'b'],
    ] as const
    const reply = await egress().request(
      aRequest(at('/x?y=1'), { method: 'POST', headers, body: Buffer.from('body') }),
      live(),
    )
    expect(reply.status).to.equal(201)
    expect(Buffer.from(reply.body).toString()).to.equal('made')
    expect(reply.headers['x-a']).to.equal('1, 2')
    expect(seen[0]?.url).to.equal('/x?y=1')
    expect(seen[0]?.headers.host).to.equal(`inside.test:${port}`)
    expect(seen[0]?.headersDistinct['x-twice']).to.deep.equal(['a', 'b'])
    expect(Buffer.concat(chunks).toString()).to.equal('body')
  })

  it('connects to the address that was checked, not to what the name says the second time', async () => {
    let asked = 0
    const rebinding = createGuardedEgress({
      rules: { allowCidrs: ['127.0.0.1/32'], allowHosts: [] },
      timer: noTimer,
      lookup: async () => {
        asked += 1
        return [asked === 1 ? '127.0.0.1' : '10.0.0.1']
      },
    })
    // The system knows no such name: only the pinned address can have answered.
    expect((await rebinding.request(aRequest(at('/', 'rebind.invalid')), live())).status).to.equal(200)
    expect(asked).to.equal(1)
  })

  for (const location of [
    'http://127.0.0.1:1/',
    'http://2130706433:1/',
    'http://[::ffff:127.0.0.1]:1/',
    '//0x7f.1:1/',
    'http://private.test/',
    'http://rebound.test/',
  ]) {
    it(`checks where a redirect leads: ${location}`, async () => {
      answer = (_request, response) => response.writeHead(302, { location }).end()
      const names = { 'private.test': ['192.168.1.1'], 'rebound.test': ['8.8.8.8', '127.0.0.1'] }
      const failure = await failureOf(egress(noTimer, names).request(aRequest(at('/')), live()))
      expect(failure.kind).to.equal('refused')
      expect(seen).to.have.length(1)
    })
  }

  it('takes a redirect to another scheme for the answer that it is, or refuses it', async () => {
    answer = (_request, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end()
    expect((await failureOf(egress().request(aRequest(at('/')), live()))).kind).to.equal('refused')
  })

  it('follows redirects, as a GET without a body where everybody does', async () => {
    answer = (request, response) =>
      request.url === '/from' ? response.writeHead(302, { location: '/to' }).end() : response.end(request.method)
    const post = { method: 'POST', body: Buffer.from('x'), headers: [['Content-Type', 'text/plain']] as const }
    const reply = await egress().request(aRequest(at('/from'), post), live())
    expect(Buffer.from(reply.body).toString()).to.equal('GET')
    expect(reply.url).to.equal(at('/to'))
    expect(seen[1]?.headers['content-type']).to.equal(undefined)
  })

  it('shows keys and cookies to no other origin', async () => {
    answer = (request, response) =>
      request.url === '/from' ? response.writeHead(307, { location: at('/to', 'other.test') }).end() : response.end()
    const rules = { allowCidrs: ['127.0.0.1/32'], allowHosts: [] }
    const open = createGuardedEgress({ rules, timer: noTimer, lookup: async () => ['127.0.0.1'] })
    const headers = [
      ['Authorization', 'Bearer k'],
      ['Cookie', 'c=1'],
      ['X-House-Rule', 'k'],
      ['X-Goog-Api-Key', 'k'],
      ['PRIVATE-TOKEN', 'k'],
      ['X-Plain', 'p'],
    ] as const
    await open.request(aRequest(at('/from'), { headers, secretHeaders: ['x-house-rule'] }), live())
    expect(seen[0]?.headers).to.include({ authorization: 'Bearer k', 'x-house-rule': 'k', 'private-token': 'k' })
    expect(seen[1]?.headers).to.include({ 'x-plain': 'p' })
    expect(seen[1]?.headers).to.not.have.any.keys(
      'authorization',
      'cookie',
      'x-house-rule',
      'x-goog-api-key',
      'private-token',
    )
  })

  it('gives up on a circle of redirects', async () => {
    answer = (_request, response) => response.writeHead(302, { location: '/' }).end()
    expect((await failureOf(egress().request(aRequest(at('/')), live()))).message).to.include('redirected')
    expect(seen).to.have.length(11)
  })

  it('says itself what frames the message and names the host', async () => {
    const headers = [
      ['Host', 'metadata.internal'],
      ['Transfer-Encoding', 'chunked'],
      ['Content-Length', '999'],
      ['Connection', 'upgrade'],
      ['Upgrade', 'websocket'],
    ] as const
    await egress().request(aRequest(at('/'), { headers }), live())
    expect(seen[0]?.headers.host).to.equal(`inside.test:${port}`)
    expect(seen[0]?.headers).to.not.have.any.keys('transfer-encoding', 'upgrade', 'content-length')
  })

  for (const [what, parts] of [
    ['a line break in a header', { headers: [['X-A', 'a\r\nX-B: b']] }],
    ['a method that is none', { method: 'GET / HTTP/1.1\r\n' }],
  ] as const) {
    it(`refuses ${what}`, async () => {
      expect((await failureOf(egress().request(aRequest(at('/'), parts), live()))).kind).to.equal('refused')
      expect(seen).to.have.length(0)
    })
  }

  it('stops reading what is too large, packed or not', async () => {
    answer = (request, response) => {
      if (request.url === '/packed')
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(2_000_000)))
      else response.end(Buffer.alloc(1001))
    }
    for (const path of ['/plain', '/packed']) {
      const failure = await failureOf(egress().request(aRequest(at(path)), live()))
      expect(failure.message).to.equal('the answer is larger than 1000 bytes')
    }
  })

  it('unpacks, and says so when it cannot', async () => {
    const packed = gzipSync('hello')
    answer = (request, response) => {
      const body = request.url === '/good' ? packed : Buffer.from('no gzip at all')
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(body)
    }
    expect(Buffer.from((await egress().request(aRequest(at('/good')), live())).body).toString()).to.equal('hello')
    expect((await failureOf(egress().request(aRequest(at('/bad')), live()))).message).to.include('unpacked')
  })

  it('gives up when time is over, even while bytes still trickle', async () => {
    const { timer, fire } = aTimer()
    answer = (_request, response) => {
      response.write('a')
      fire(5000)
    }
    expect((await failureOf(egress(timer).request(aRequest(at('/')), live()))).message).to.include('too long')
  })

  it('does not wait for a lookup that never ends', async () => {
    const { timer, fire } = aTimer()
    const stuck = createGuardedEgress({ rules: CLOSED, timer, lookup: () => new Promise(() => {}) })
    const asked = failureOf(stuck.request(aRequest('http://stuck.test'), live()))
    fire(5000)
    expect((await asked).message).to.include('too long')
  })

  it('H11 ends with the run', async () => {
    const stop = new AbortController()
    answer = () => stop.abort()
    expect((await failureOf(egress().request(aRequest(at('/')), stop.signal))).message).to.include('ended')
  })

  it('names a server that hangs up half-way as the fault that it is', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half')
      response.socket?.destroySoon()
    }
    expect((await failureOf(egress().request(aRequest(at('/')), live()))).kind).to.equal('failed')
  })
})
