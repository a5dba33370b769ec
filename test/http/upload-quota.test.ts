import { once } from 'node:events'
import { connect } from 'node:net'
import { expect } from 'chai'
import { createDiskFileStore } from '#adapters/files/disk-file-store.ts'
import type { UploadQuota } from '#domain/upload-quota.ts'
import { aFileFolder, type FileFolder } from '../support/file-folder.ts'
import { aBridge, aPolicy } from '../support/policy.ts'
import { upload, uploadHead } from '../support/uploads.ts'
import { SETTINGS } from '../support/world.ts'
import { chatFile } from './app-files.ts'
import { API, aPlace, mintExternal, mintOwn, NO_BEARER_LIMIT, type Place } from './place.ts'

const KIB = 1024
const NONE = { files: 0, bytes: 0 }

describe('quotas of uploads', () => {
  let place: Place
  let folder: FileFolder
  let [token, appId] = ['', '']
  beforeEach(async () => {
    folder = await aFileFolder()
  })
  afterEach(async () => {
    await place.close()
    await folder.remove()
  })

  async function open(quota: UploadQuota): Promise<void> {
    place = await aPlace({
      settings: { ...NO_BEARER_LIMIT, uploads: { ...SETTINGS.uploads, quota } },
      change: (ports) => ({
        ...ports,
        bridge: aBridge(),
        policy: aPolicy({ modeOf: async () => 'public', permits: async () => true }),
        fileStore: createDiskFileStore({ folder: folder.path }),
      }),
    })
    token = await mintOwn(place)
    appId = await place.addApp(chatFile())
  }

  const send = (bytes: number, by = token) => upload(place.url, appId, by, 'a.txt', Buffer.alloc(bytes, 'a'))
  const onDisk = async () => (await folder.files()).length

  it('N03 a person beyond theirs hears which bound it is and what makes room, and others go on', async () => {
    await open({ person: { files: 2, bytes: 0 }, workspace: NONE })
    for (const status of [201, 201, 413]) expect((await send(5)).status).to.equal(status)
    const { json } = await send(5)
    expect([json.error, json.code, json.hint]).to.deep.equal([
      'upload_quota_exceeded',
      'payload_too_large',
      'a person may keep 2 files of uploads at once; each is removed 30 days after it came',
    ])
    expect((await send(5, await mintExternal(place))).status).to.equal(201)
    expect(await onDisk()).to.equal(3)
  })

  it('N03 a workspace beyond its bytes takes no more from anybody until retention makes room', async () => {
    await open({ person: NONE, workspace: { files: 0, bytes: 10 } })
    const external = await mintExternal(place)
    expect((await send(6)).status).to.equal(201)
    expect((await send(5, external)).status).to.equal(413)
    expect((await send(4, external)).status).to.equal(201)
    expect((await send(1)).json.hint).to.contain('a workspace may keep 10 bytes')
    place.clock.advance(31 * 86_400_000)
    await place.cases.pruneFiles()
    expect((await send(10, await mintOwn(place))).status).to.equal(201)
  })

  it('N03 a length that cannot fit is refused before the file is sent', async () => {
    await open({ person: { files: 0, bytes: 100 }, workspace: NONE })
    const socket = connect(Number(new URL(place.url).port), '127.0.0.1')
    socket.write(uploadHead(appId, token, 5 * KIB * KIB))
    const [answer] = await once(socket, 'data')
    expect(String(answer)).to.match(/^HTTP\/1\.1 413 /)
    expect(await onDisk()).to.equal(0)
    socket.destroy()
  })

  it('N03 a file of no told length is refused as it passes the bound, and leaves nothing', async () => {
    await open({ person: { files: 0, bytes: 300 * KIB }, workspace: NONE })
    const file = '--XX\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    async function* body() {
      yield Buffer.from(file)
      for (let piece = 0; piece < 100; piece++) yield Buffer.alloc(64 * KIB, 'a')
      yield Buffer.from('\r\n--XX--\r\n')
    }
    const reply = await fetch(`${place.url}${API}/apps/${appId}/files/upload`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'multipart/form-data; boundary=XX' },
      body: body(),
      duplex: 'half',
    })
    expect([reply.status, JSON.parse(await reply.text()).error]).to.deep.equal([413, 'upload_quota_exceeded'])
    expect(await onDisk()).to.equal(0)
  })

  for (const [what, person] of Object.entries({
    files: { files: 5, bytes: 0 },
    bytes: { files: 0, bytes: 5 * 400 * KIB },
  })) {
    it(`N03 of thirty that come at once as many are kept as there are ${what} for, and nothing of the rest`, async () => {
      await open({ person, workspace: NONE })
      const replies = await Promise.all(Array.from({ length: 30 }, () => send(400 * KIB)))
      const kept = replies.filter(({ status }) => status === 201).length
      expect(replies.filter(({ status }) => status === 413).length).to.equal(30 - kept)
      // Two that meet above the bound may both be refused; one more never gets in, and alone it fits.
      expect(kept).to.be.within(1, 5)
      for (let more = kept; more < 5; more++) expect((await send(400 * KIB)).status).to.equal(201)
      expect((await send(400 * KIB)).status).to.equal(413)
      expect(await onDisk()).to.equal(5)
    })
  }

  it('N03 a bound of 0 is none, and nothing is counted for it', async () => {
    await open({ person: NONE, workspace: NONE })
    place.ports.uploadedFiles.stored = () => Promise.reject(new Error('counted'))
    expect((await send(5)).status).to.equal(201)
  })
})
