import { readdir } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import { createDiskFileStore } from '#adapters/files/disk-file-store.ts'
import { chatFile } from '../http/app-files.ts'
import { aPlace, mintOwn, type Place } from '../http/place.ts'
import { openSmallDisk, type SmallDisk } from '../support/small-disk.ts'
import { upload } from '../support/uploads.ts'

const KIB = 1024
const UPLOADS = 16
const SIZE = 100 * KIB

describe('a disk for uploads that fills up', function () {
  this.timeout(30_000)
  let disk: SmallDisk
  let place: Place
  before(async function () {
    const opened = openSmallDisk(1024 * KIB)
    if (opened === null) {
      process.stderr.write('\n*** SKIPPING the full disk: this user may not mount one ***\n\n')
      return this.skip()
    }
    disk = opened
    const { folder } = disk
    place = await aPlace({ change: (ports) => ({ ...ports, fileStore: createDiskFileStore({ folder }) }) })
  })
  after(async () => {
    await place?.close()
    disk?.close()
  })

  const namesOnDisk = async () =>
    (await readdir(disk.folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)

  it('N03 of many uploads at once some are 503, those that were taken are whole, nothing else is left, and it goes on', async () => {
    const [appId, token] = [await place.addApp(chatFile()), await mintOwn(place)]
    const bytesOf = (at: number) => Buffer.alloc(SIZE, `file ${at} `)
    const send = (at: number) => upload(place.url, appId, token, `${at}.txt`, bytesOf(at))
    const replies = await Promise.all(Array.from({ length: UPLOADS }, (_, at) => send(at)))
    const taken = replies.flatMap(({ status, json }, at) => (status === 201 ? [{ at, id: String(json.id) }] : []))
    const refused = replies.filter(({ status }) => status !== 201)
    expect(taken).to.not.be.empty
    expect(refused).to.not.be.empty
    for (const { status, json, headers, text } of refused) {
      expect([status, json.error, headers.get('retry-after')]).to.deep.equal([503, 'service_unavailable', '5'])
      expect(text).to.not.match(/ENOSPC|space|disk/i)
    }
    expect((await namesOnDisk()).toSorted()).to.deep.equal(taken.map(({ id }) => id).toSorted())
    for (const { at, id } of taken) {
      const stream = await place.ports.fileStore.open(id)
      if (stream === null) throw new Error('a file that was taken is gone')
      expect((await buffer(stream as AsyncIterable<Uint8Array>)).equals(bytesOf(at)), id).to.equal(true)
    }
    await Promise.all(taken.map(({ id }) => place.ports.fileStore.remove(id)))
    expect((await send(0)).status).to.equal(201)
  })
})
