import { request } from 'node:http'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { chatFile } from './app-files.ts'
import { API, aPlace, mintOwn, NO_BEARER_LIMIT, type Place } from './place.ts'

describe('bodies', () => {
  let place: Place
  let token: string
  let appId: string

  before(async () => {
    place = await aPlace({ settings: NO_BEARER_LIMIT })
    token = await mintOwn(place)
    appId = await place.addApp(chatFile())
  })
  after(() => place.close())

  it('A12 broken JSON is 400: invalid_request on OAuth routes, invalid_json elsewhere', async () => {
    const headers = { 'Content-Type': 'application/json' }
    for (const body of ['{', '{"a":1,}', 'nope', '{"a":"\u0001"}']) {
      const oauth = await place.post(`${API}/oauth/device/code`, { body, headers })
      expect([oauth.status, oauth.json.error], body).to.deep.equal([400, 'invalid_request'])
      const run = await place.post(`${API}/apps/${appId}/run`, { body, headers, token })
      expect([run.status, run.json.error], body).to.deep.equal([400, 'invalid_json'])
    }
  })

  it('A12 an array or a scalar where an object is needed is the validation status', async () => {
    for (const json of [[], [1], 'text', 7, true, null]) {
      const oauth = await place.post(`${API}/oauth/device/token`, { json })
      expect([oauth.status, oauth.json.error], JSON.stringify(json)).to.deep.equal([400, 'invalid_request'])
      const run = await place.post(`${API}/apps/${appId}/run`, { json, token })
      expect(run.status, JSON.stringify(json)).to.equal(422)
      const login = await place.post('/console/api/login', { json })
      expect(login.status, JSON.stringify(json)).to.equal(422)
    }
  })

  it('A12 a body of 2 MiB is 413, JSON or form', async () => {
    const big = 'x'.repeat(2 * 1024 * 1024)
    const json = await place.post(`${API}/oauth/device/code`, { json: { client_id: big } })
    expect([json.status, json.json.code]).to.deep.equal([413, 'payload_too_large'])
    const form = await place.post(`${API}/oauth/device/code`, { form: { client_id: big } })
    expect(form.status).to.equal(413)
    const run = await place.post(`${API}/apps/${appId}/run`, { json: { inputs: {}, query: big }, token })
    expect(run.status).to.equal(413)
  })

  it('A12 another media type with a body is 415, and only once the caller was admitted', async () => {
    const how = { body: '<a/>', headers: { 'Content-Type': 'application/xml' } }
    const open = await place.post(`${API}/oauth/device/code`, how)
    expect([open.status, open.json.code]).to.deep.equal([415, 'unsupported_media_type'])
    expect((await place.post(`${API}/apps/${appId}/run`, { ...how, token })).status).to.equal(415)
    expect((await place.post(`${API}/apps/${appId}/run`, how)).status).to.equal(401)
    expect((await place.post(`${API}/oauth/device/approve`, how)).status).to.equal(401)
    // A form is at home on the OAuth routes only.
    expect((await place.post(`${API}/apps/${appId}/run`, { form: { inputs: '{}' }, token })).status).to.equal(415)
  })

  it('A12 no body and no type is an empty object, whatever the length header says', async () => {
    const run = await place.post(`${API}/apps/${appId}/run`, { token })
    expect(run.status).to.equal(422)
    expect(run.json.details.map(({ loc }: { loc: string[] }) => loc)).to.deep.equal([['inputs']])
    const code = await place.post(`${API}/oauth/device/code`, { headers: { 'Content-Type': 'application/json' } })
    expect(code.json).to.deep.include({ error: 'invalid_request', error_description: 'client_id is required' })
  })

  it('A12 a body that ends before its length is 400, not a hang', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const half = request(`${place.url}${API}/oauth/device/code`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' },
      })
      half.on('response', (reply) => resolve(reply.statusCode))
      half.on('error', reject)
      half.end('{"client_id":')
    })
    expect(status).to.equal(400)
  })

  describe('on a connection that is used again', () => {
    const answers = (port: number, ...parts: readonly (string | Buffer)[]) =>
      new Promise<string[]>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1')
        let text = ''
        socket.on('data', (part) => {
          text += part.toString('latin1')
        })
        socket.on('error', reject)
        socket.on('close', () => resolve(text.match(/HTTP\/1\.1 \d+/g) ?? []))
        for (const part of parts) socket.write(part)
        socket.write(`GET ${API}/_health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
      })
    const POST = `POST ${API}/oauth/device/code HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`
    const portOf = () => Number(new URL(place.url).port)

    // A compressed body that unpacks beyond the limit used to leave the connection stuck, and garbage was a 500.
    it('A12 a compressed body is 415, a bomb or not, and the next request is answered', async () => {
      for (const body of [gzipSync('{}'), gzipSync(Buffer.alloc(64 * 1024 * 1024)), Buffer.from('no gzip')]) {
        const head = `${POST}Content-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`
        expect(await answers(portOf(), head, body)).to.deep.equal(['HTTP/1.1 415', 'HTTP/1.1 200'])
      }
    })

    it('A12 2 MiB without a length are 413, and the next request is answered', async () => {
      const size = 2 * 1024 * 1024
      const chunk = Buffer.concat([Buffer.from(`${size.toString(16)}\r\n`), Buffer.alloc(size, 'a')])
      const got = await answers(portOf(), `${POST}Transfer-Encoding: chunked\r\n\r\n`, chunk, '\r\n0\r\n\r\n')
      expect(got).to.deep.equal(['HTTP/1.1 413', 'HTTP/1.1 200'])
    })

    it('A12 bytes that are no UTF-8 are refused, not stored as something else', async () => {
      const body = Buffer.from('{"client_id":"latchkey","device_label":"a\xff"}', 'latin1')
      const got = await answers(portOf(), `${POST}Content-Length: ${body.length}\r\n\r\n`, body)
      expect(got).to.deep.equal(['HTTP/1.1 400', 'HTTP/1.1 200'])
    })

    // Anybody can send such bytes at any rate: a line with a stack for each would fill the disk.
    it('A12 a request that is no HTTP is answered 400 and is no fault in the log', async () => {
      const before = place.logLines.length
      const chunks = `${POST}Transfer-Encoding: chunked\r\n\r\nno size\r\n{}`
      expect(await answers(portOf(), chunks)).to.deep.equal(['HTTP/1.1 400'])
      await place.get(`${API}/_health`)
      expect(place.logLines.slice(before)).to.deep.equal([])
    })
  })
})
