import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { expect } from 'chai'
import { chatFile } from './app-files.ts'
import { API, aPlace, mintOwn, type Place } from './place.ts'

const GIGABYTE = 1_000_000_000
const PIECE = Buffer.alloc(65_536, 'a')
const HEAD = '--B\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'

describe('an upload of a gigabyte', () => {
  let place: Place
  before(async () => {
    place = await aPlace({})
  })
  after(() => place.close())

  /** Sends until somebody answers; how far that got, and the answer. */
  async function sendGigabyte(headers: Readonly<Record<string, string>>) {
    const token = await mintOwn(place)
    const url = `${place.url}${API}/apps/${await place.addApp(chatFile())}/files/upload`
    const type = { authorization: `Bearer ${token}`, 'content-type': 'multipart/form-data; boundary=B' }
    const sent = request(url, { method: 'POST', headers: { ...type, ...headers } })
    let answer: IncomingMessage | null = null
    sent.once('response', (response) => {
      answer = response
    })
    const answered = once(sent, 'response')
    // Whoever refuses may hang up on the rest.
    sent.on('error', () => {})
    sent.write(HEAD)
    let bytes = 0
    while (answer === null && bytes < GIGABYTE) {
      bytes += PIECE.length
      if (!sent.write(PIECE)) await Promise.race([once(sent, 'drain'), answered])
      else await new Promise(setImmediate)
    }
    const [response]: IncomingMessage[] = await answered
    let text = ''
    for await (const chunk of response ?? []) text += chunk
    sent.destroy()
    return { status: response?.statusCode, error: JSON.parse(text).error, bytes }
  }

  it('N03 that tells its length is a 413 before its file is read', async () => {
    const { bytes, ...reply } = await sendGigabyte({ 'content-length': String(GIGABYTE) })
    expect(reply).to.deep.equal({ status: 413, error: 'file_too_large' })
    expect(bytes).to.be.below(32 * 1024 * 1024)
  })

  it('N03 that does not tell its length is a 413 at the limit of its kind', async () => {
    const { bytes, ...reply } = await sendGigabyte({ 'transfer-encoding': 'chunked' })
    expect(reply).to.deep.equal({ status: 413, error: 'file_too_large' })
    expect(bytes).to.be.below(64 * 1024 * 1024)
  })
})
