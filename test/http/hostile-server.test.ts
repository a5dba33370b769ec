import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { expect } from 'chai'
import { createHttpServer } from '#adapters/http/http-server.ts'
import { API, aPlace, type Place } from './place.ts'

/** Everything that `parts` bring back from a bare socket, until the server ends it. */
function exchange(place: Pick<Place, 'url'>, ...parts: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(place.url).port), '127.0.0.1')
    let text = ''
    socket.on('data', (part) => {
      text += part.toString('latin1')
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
    for (const part of parts) socket.write(part)
  })
}

function read(text: string) {
  const [head = '', body = ''] = text.split('\r\n\r\n')
  const [line = '', ...headers] = head.split('\r\n')
  const pairs = headers.map((one) => one.split(/: (.*)/s).slice(0, 2))
  const named: Record<string, string | undefined> = Object.fromEntries(
    pairs.map(([name = '', value]) => [name.toLowerCase(), value]),
  )
  return { status: Number(line.split(' ')[1]), headers: named, json: JSON.parse(body) }
}

/** How often a request reached a listener of a bare server of ours, and what its caller was told. */
async function heardOf(text: string): Promise<{ readonly heard: number; readonly told: string }> {
  const server = createHttpServer()
  let heard = 0
  server.on('request', (_request, response) => {
    heard += 1
    setTimeout(() => response.end('ok'), 20)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo // a TCP listener's address is never a path
  try {
    const told = await exchange({ url: `http://127.0.0.1:${port}` }, text)
    return { heard, told }
  } finally {
    server.close()
  }
}

const statusesIn = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status))

/** A route without a limit by address, which would answer before the body is read. */
const POST = `POST ${API}/oauth/device/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`
const GET = `GET ${API}/_health HTTP/1.1\r\nHost: x\r\n`

describe('requests that are none, or never end', () => {
  let place: Place
  before(async () => {
    place = await aPlace({ patience: { headersMs: 150, requestMs: 300, checkMs: 25 } })
  })
  after(() => place.close())

  const CASES: readonly (readonly [what: string, status: number, error: string, parts: readonly string[]])[] = [
    ['headers that never end', 408, 'request_timeout', [GET, 'X-Slow: a']],
    ['a first line that never ends', 408, 'request_timeout', ['GET /']],
    ['a body that never ends', 408, 'request_timeout', [`${POST}Content-Length: 100\r\n\r\n`, '{"client_id":']],
    ['chunks that never end', 408, 'request_timeout', [`${POST}Transfer-Encoding: chunked\r\n\r\n`, '5\r\n{"cli\r\n']],
    ['a first line that is none', 400, 'malformed_request', ['nonsense\r\n\r\n']],
    ['a header that is none', 400, 'malformed_request', [`${GET}no colon\r\n\r\n`]],
    ['a NUL in a header', 400, 'malformed_request', [`${GET}X-A: a\0b\r\n\r\n`]],
    // RFC 9112 §6.1: two lengths are how requests are smuggled past a proxy.
    [
      'two lengths',
      400,
      'malformed_request',
      [`${POST}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ],
    // RFC 9112 §3.2: what lies between may take the other one, and keep or pass on by it.
    ['two hosts', 400, 'malformed_request', [`${GET}hOST: y\r\n\r\n`]],
    ['the same host twice', 400, 'malformed_request', [`${POST}Host: x\r\nContent-Length: 2\r\n\r\n{}`]],
    ['two hosts in one line', 400, 'malformed_request', [`${GET.replace('Host: x', 'Host: x,y')}\r\n`]],
    ['a host that is a URL', 400, 'malformed_request', [`${GET.replace('Host: x', 'Host: http://x/')}\r\n`]],
    ['a host with somebody before it', 400, 'malformed_request', [`${GET.replace('Host: x', 'Host: y@x')}\r\n`]],
    ['no host', 400, 'malformed_request', [`GET ${API}/_health HTTP/1.1\r\n\r\n`]],
    ['a negative length', 400, 'malformed_request', [`${POST}Content-Length: -1\r\n\r\n`]],
    ['headers beyond 16 KiB', 431, 'headers_too_large', [`${GET}X-A: ${'a'.repeat(20_000)}\r\n\r\n`]],
    [
      '10 000 keys in a query',
      431,
      'headers_too_large',
      [`GET /?${'k=1&'.repeat(10_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
    ],
  ]
  for (const [what, status, error, parts] of CASES) {
    it(`A12 ${what}: ${status}, told like every refusal, without a log line`, async () => {
      const linesBefore = place.logLines.length
      const { status: got, headers, json } = read(await exchange(place, ...parts))
      expect([got, json.error, json.status]).to.deep.equal([status, error, status])
      expect(headers).to.include({
        connection: 'close',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      })
      expect(headers['content-security-policy']).to.contain("frame-ancestors 'none'")
      expect((await place.get(`${API}/_health`)).status).to.equal(200)
      expect(place.logLines.slice(linesBefore)).to.deep.equal([])
    })
  }

  it('A12 what cannot be read of a HEAD is refused without a body', async () => {
    const head = GET.replace('GET', 'HEAD')
    for (const [sent, status] of [
      [`${head}no colon\r\n\r\n`, 400],
      [`${head}X-A: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
      [`${head}Host: y\r\n\r\n`, 400],
      ['HEAD \\openapi HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ] as const) {
      const text = await exchange(place, sent)
      expect(text.split(' ')[1]).to.equal(String(status))
      expect(text.endsWith('\r\n\r\n'), text).to.equal(true)
    }
  })

  for (const host of [
    'latchkey.example',
    'a_b:5001',
    'LOCALHOST:',
    '127.0.0.1:80',
    '[::1]:5001',
    '[fe80::1%25eth0]',
    '',
  ]) {
    it(`A12 a host like "${host}" is answered`, async () => {
      const text = await exchange(place, `${GET.replace('Host: x', `Host: ${host}`)}Connection: close\r\n\r\n`)
      expect(read(text)).to.deep.include({ status: 200, json: { ok: true } })
    })
  }

  // Probes of old balancers; the line came with HTTP/1.1.
  it('A12 HTTP/1.0 is answered without a host', async () => {
    expect(statusesIn(await exchange(place, `GET ${API}/_health HTTP/1.0\r\n\r\n`))).to.deep.equal([200])
  })

  // Whoever takes the other host may see other requests behind it, too.
  it('A12 security: nothing is heard behind a request with two hosts, nor that request itself', async () => {
    const one = 'GET / HTTP/1.1\r\nHost: x\r\n'
    const { heard, told } = await heardOf(`${one}\r\n${one}Host: y\r\n\r\n${one}\r\n${one}\r\n`)
    expect(heard).to.equal(1)
    expect(statusesIn(told)).to.deep.equal([200, 400])
  })

  // Node's own refusal has none of the headers that every answer has; an expectation may be left unmet (RFC 9110 §10.1.1).
  it('A12 an expectation that nobody knows is answered like any other request', async () => {
    const text = await exchange(place, `${GET}Connection: close\r\nExpect: the-unexpected\r\n\r\n`)
    const { status, headers, json } = read(text)
    expect([status, json]).to.deep.equal([200, { ok: true }])
    expect(headers['x-frame-options']).to.equal('DENY')
  })

  it('A12 a connection that says nothing is ended', async () => {
    const { status } = read(await exchange(place))
    expect(status).to.equal(408)
  })

  it('A12 garbage behind a good request ends the connection', async () => {
    const text = await exchange(place, `${GET}\r\n`, 'garbage\r\n\r\n')
    expect(text.match(/HTTP\/1\.1 \d+/g)?.at(-1)).to.equal('HTTP/1.1 400')
  })

  it('A12 two hundred that dawdle at once do not keep others waiting', async () => {
    const slow = Array.from({ length: 200 }, () => exchange(place, `${POST}Content-Length: 100\r\n\r\n{`))
    expect((await place.get(`${API}/_health`)).status).to.equal(200)
    for (const text of await Promise.all(slow)) expect(read(text).status).to.equal(408)
  })
})
