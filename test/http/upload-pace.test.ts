import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect } from 'chai'
import { createDiskFileStore } from '#adapters/files/disk-file-store.ts'
import { aFileFolder, type FileFolder } from '../support/file-folder.ts'
import { until } from '../support/until.ts'
import { uploadHead } from '../support/uploads.ts'
import { chatFile } from './app-files.ts'
import { API, aPlace, mintOwn, type Place } from './place.ts'

/** Its body never comes. */
const DAWDLING = `POST ${API}/oauth/device/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n`
const END = '\r\n--XX--\r\n'

describe('slow uploads', () => {
  let place: Place
  let folder: FileFolder
  let [token, appId] = ['', '']
  before(async () => {
    folder = await aFileFolder()
    place = await aPlace({
      patience: { headersMs: 150, requestMs: 300, checkMs: 25 },
      change: (ports) => ({ ...ports, fileStore: createDiskFileStore({ folder: folder.path }) }),
    })
    token = await mintOwn(place)
    appId = await place.addApp(chatFile())
  })
  after(async () => {
    await place.close()
    await folder.remove()
  })

  const onDisk = async () => (await folder.files()).length

  /** The beginning of an upload of `length` bytes in all; `told` is what came back until the connection was closed. */
  async function begin(name: string, length: number, text: string): Promise<{ socket: Socket; told: Promise<string> }> {
    const socket = connect(Number(new URL(place.url).port), '127.0.0.1')
    let said = ''
    socket.on('data', (piece) => {
      said += piece.toString('latin1')
    })
    socket.on('error', () => {})
    socket.write(uploadHead(appId, token, length, name) + text)
    return { socket, told: once(socket, 'close').then(() => said) }
  }

  it('N03 an upload that stalls is a 408 on a connection that is closed, and leaves nothing', async () => {
    const before = await onDisk()
    const { told } = await begin('a.txt', 900_000, 'x'.repeat(500_000))
    await until(async () => (await onDisk()) > before)
    // What was sent is in flight until it is seen.
    await place.get(`${API}/_health`)
    for (let tick = 0; tick < 8; tick++) place.clock.advance(5_000)
    const text = await told
    expect(text).to.match(/^HTTP\/1\.1 408 /)
    expect(text).to.match(/^connection: close\r$/im)
    expect(text).to.contain('"error":"request_timeout"')
    await until(async () => (await onDisk()) === before)
  })

  it('N03 an upload that is alive outlives the time that other requests may take, and its connection', async () => {
    const words = 'words '.repeat(100)
    const part = '--XX\r\nContent-Disposition: form-data; name="file"; filename="b.txt"\r\n\r\n'
    const before = await onDisk()
    const { socket, told } = await begin('b.txt', part.length + words.length + END.length, words.slice(0, 100))
    await until(async () => (await onDisk()) > before)
    const slow = connect(Number(new URL(place.url).port), '127.0.0.1')
    slow.write(DAWDLING)
    slow.resume()
    // It began later and is ended by now, so the upload was looked at as well.
    await once(slow, 'close')
    socket.write(words.slice(100) + END)
    await once(socket, 'data')
    // The next request of the connection has its own two minutes, and dawdles.
    socket.write(DAWDLING)
    const text = await told
    expect(text.match(/HTTP\/1\.1 \d+/g)).to.deep.equal(['HTTP/1.1 201', 'HTTP/1.1 408'])
  })

  it('N03 a refused sender who goes on sending is cut off', async () => {
    const { socket, told } = await begin('run.exe', 5_000_000, 'MZ')
    await once(socket, 'data')
    for (let tick = 0; tick < 24; tick++) place.clock.advance(5_000)
    expect(await told).to.match(/^HTTP\/1\.1 415 /)
  })
})
