import { connect } from 'node:net'
import { expect } from 'chai'
import { createDiskFileStore } from '#adapters/files/disk-file-store.ts'
import { isUuid } from '#domain/uuid.ts'
import { allOf } from '../support/all-of.ts'
import { aFileFolder, type FileFolder } from '../support/file-folder.ts'
import { until } from '../support/until.ts'
import { PNG, sendBody, upload, uploadHead } from '../support/uploads.ts'
import { SETTINGS } from '../support/world.ts'
import { chatFile } from './app-files.ts'
import { API, aPlace, mintOwn, NO_BEARER_LIMIT, type Place } from './place.ts'
import { uploadsSuite } from './suites/uploads.ts'

uploadsSuite('memory', {})

const NOBODYS = '01900000-0000-7000-8000-000000000000'
const MIB = 1024 * 1024

describe('uploads', () => {
  let place: Place
  let folder: FileFolder
  let token: string
  let appId: string
  before(async () => {
    folder = await aFileFolder()
    const uploads = { ...SETTINGS.uploads, maxBytes: { ...SETTINGS.uploads.maxBytes, document: MIB } }
    place = await aPlace({
      settings: { ...NO_BEARER_LIMIT, uploads },
      change: (ports) => ({ ...ports, fileStore: createDiskFileStore({ folder: folder.path }) }),
    })
    token = await mintOwn(place)
    appId = await place.addApp(chatFile())
  })
  after(async () => {
    await place.close()
    await folder.remove()
  })

  const send = (name: string, bytes: Uint8Array | string) => upload(place.url, appId, token, name, bytes)
  const filesOnDisk = async () => (await folder.files()).length

  /** Whatever `work` did, it left nothing on the disk. */
  async function leavesNothing(work: () => Promise<unknown>): Promise<void> {
    const before = await filesOnDisk()
    await work()
    await until(async () => (await filesOnDisk()) === before)
  }

  it('N03 a file is told of as clients expect it, by what it is and not by what the sender calls it', async () => {
    const reply = await send('Cat photo.PNG', PNG)
    expect(reply.status).to.equal(201)
    const { id, created_by: by, created_at: at, ...rest } = reply.json
    expect(rest).to.deep.equal({ name: 'Cat photo.PNG', size: PNG.length, extension: 'png', mime_type: 'image/png' })
    expect([isUuid(id), by, at]).to.deep.equal([true, place.owner.accountId, Math.floor(place.clock.now() / 1000)])
    const kept = await allOf((await place.ports.fileStore.open(id)) ?? (async function* () {})())
    expect(Buffer.concat(kept).equals(PNG)).to.equal(true)
  })

  // A name must never choose where bytes go, nor what a reader's terminal does.
  const NAMES: readonly (readonly [given: string, kept: string])[] = [
    ['../../etc/passwd.txt', 'passwd.txt'],
    ['..\\..\\windows\\win.txt', 'win.txt'],
    ['/absolute/a.txt', 'a.txt'],
    ['.hidden.txt', 'hidden.txt'],
    ['a\u202etxt.exe.txt', 'atxt.exe.txt'],
    ['a\u0007b.txt', 'ab.txt'],
    ["it's ü 文件.txt", "it's ü 文件.txt"],
    [`${'n'.repeat(900)}.txt`, `${'n'.repeat(196)}.txt`],
  ]
  for (const [given, kept] of NAMES) {
    it(`N03 the name ${JSON.stringify(given.slice(0, 24))} is kept as ${JSON.stringify(kept.slice(0, 24))}`, async () => {
      const reply = await send(given, 'words')
      expect([reply.status, reply.json.name]).to.deep.equal([201, kept])
      expect(await filesOnDisk()).to.be.greaterThan(0)
    })
  }

  const REFUSED: readonly (readonly [what: string, name: string, bytes: Uint8Array | string, said: string])[] = [
    ['a program', 'run.exe', 'MZ', '415 unsupported_file_type'],
    ['a name without an extension', 'passwd', 'x', '415 unsupported_file_type'],
    ['a dot file', '.txt', 'x', '415 unsupported_file_type'],
    ['a page that calls itself a picture', 'cat.png', '<html><script>', '415 unsupported_file_type'],
    ['a program that calls itself a picture', 'cat.jpg', Buffer.from('4d5a9000', 'hex'), '415 unsupported_file_type'],
    [
      'a program that calls itself text',
      'read.txt',
      Buffer.from('7f454c4602010100', 'hex'),
      '415 unsupported_file_type',
    ],
    ['text that calls itself a document', 'a.docx', 'words', '415 unsupported_file_type'],
    ['an empty picture', 'cat.png', '', '422 unprocessable_entity'],
    ['an empty text', 'a.txt', '', '422 unprocessable_entity'],
    ['a byte too many', 'a.txt', Buffer.alloc(MIB + 1, 'a'), '413 file_too_large'],
    ['far too many', 'a.txt', Buffer.alloc(20 * MIB, 'a'), '413 file_too_large'],
  ]
  for (const [what, name, bytes, said] of REFUSED) {
    it(`N03 ${what} is a ${said} and leaves nothing`, () =>
      leavesNothing(async () => {
        const reply = await send(name, bytes)
        expect(`${reply.status} ${reply.json.error}`).to.equal(said)
      }))
  }

  it('N03 a file of exactly the limit is taken', async () => {
    expect((await send('a.txt', Buffer.alloc(MIB, 'a'))).status).to.equal(201)
  })

  const B = 'XX'
  const part = (disposition: string, text: string) => `--${B}\r\nContent-Disposition: ${disposition}\r\n\r\n${text}\r\n`
  const FILE = part('form-data; name="file"; filename="a.txt"', 'words')
  const BODIES: readonly (readonly [what: string, body: string, said: string])[] = [
    ['nothing in it', `--${B}--\r\n`, '400 no_file_uploaded'],
    ['only fields', `${part('form-data; name="user"', 'me')}--${B}--\r\n`, '400 no_file_uploaded'],
    ['a field called file', `${part('form-data; name="file"', 'me')}--${B}--\r\n`, '400 no_file_uploaded'],
    ['a part without a name', `${part('form-data', 'me')}--${B}--\r\n`, '400 malformed_request'],
    ['a file without a name', `${part('form-data; filename="a.txt"', 'me')}--${B}--\r\n`, '400 malformed_request'],
    ['two files', `${FILE}${FILE}--${B}--\r\n`, '400 too_many_files'],
    ['no end', FILE, '400 malformed_request'],
    ['no end after a field', `${FILE}${part('form-data; name="user"', 'me')}`, '400 malformed_request'],
    ['words instead of parts', 'words', '400 malformed_request'],
    ['a boundary that goes on', `--${B}Y\r\n\r\n`, '400 malformed_request'],
    ['endless headers', `--${B}\r\n${'a: b\r\n'.repeat(3000)}`, '400 malformed_request'],
    [
      'endless fields',
      `${part('form-data; name="a"', 'x'.repeat(70_000))}${FILE}--${B}--\r\n`,
      '413 payload_too_large',
    ],
    [
      'endless fields behind',
      `${FILE}${part('form-data; name="a"', 'x'.repeat(70_000))}--${B}--`,
      '413 payload_too_large',
    ],
  ]
  for (const [what, body, said] of BODIES) {
    it(`N03 a form with ${what} is a ${said} and leaves nothing`, () =>
      leavesNothing(async () => {
        const reply = await sendBody(place.url, appId, token, body, `multipart/form-data; boundary=${B}`)
        expect(`${reply.status} ${reply.json.error}`).to.equal(said)
      }))
  }

  it('N03 fields before and behind the file are let be, and names come in every spelling', async () => {
    for (const [disposition, name] of [
      ['form-data; name=file; filename=a.txt', 'a.txt'],
      ['FORM-DATA; filename="a;b.txt"; Name="file"', 'a;b.txt'],
      ['form-data; name="file"; filename="a%22b.txt"', 'a"b.txt'],
      ['form-data; name="file"; filename="x.txt"; filename*=UTF-8\'\'%e2%82%ac.txt', '€.txt'],
    ]) {
      const user = part('form-data; name="user"', 'me')
      const body = `a preamble\r\n${user}${part(disposition ?? '', 'words')}${user}--${B}--\r\nan epilogue`
      const reply = await sendBody(place.url, appId, token, body, `multipart/form-data; boundary="${B}"`)
      expect([reply.status, reply.json.name, reply.json.size]).to.deep.equal([201, name, 5])
    }
  })

  const TYPES: readonly (readonly [type: string, said: string])[] = [
    ['application/json', '415 unsupported_media_type'],
    ['multipart/mixed; boundary=XX', '415 unsupported_media_type'],
    ['multipart/form-data', '400 malformed_request'],
    ['multipart/form-data; boundary=', '400 malformed_request'],
    [`multipart/form-data; boundary=${'x'.repeat(71)}`, '400 malformed_request'],
  ]
  for (const [type, said] of TYPES) {
    it(`N03 the content type ${type.slice(0, 40)} is a ${said}`, () =>
      leavesNothing(async () => {
        const reply = await sendBody(place.url, appId, token, `${FILE}--${B}--\r\n`, type)
        expect(`${reply.status} ${reply.json.error}`).to.equal(said)
      }))
  }

  it('N03 no body at all is a 400 no_file_uploaded', async () => {
    const reply = await place.post(`${API}/apps/${appId}/files/upload`, { token })
    expect(`${reply.status} ${reply.json.error}`).to.equal('400 no_file_uploaded')
  })

  it('N03 a compressed body is refused before a byte of it is unpacked', () =>
    leavesNothing(async () => {
      const headers = { 'Content-Encoding': 'gzip', 'Content-Type': `multipart/form-data; boundary=${B}` }
      const reply = await place.post(`${API}/apps/${appId}/files/upload`, { token, headers, body: FILE })
      expect(reply.status).to.equal(415)
    }))

  it('N03 an upload that breaks off leaves nothing, wherever it breaks', async () => {
    for (const bytes of [0, 100, 600_000]) {
      await leavesNothing(async () => {
        const socket = connect(Number(new URL(place.url).port), '127.0.0.1')
        const text = uploadHead(appId, token, 900_000) + 'x'.repeat(bytes)
        await new Promise<void>((written) => socket.write(text, () => written()))
        await place.get(`${API}/account`, { token })
        socket.destroy()
      })
    }
  })

  it('N03 the connection of a refused upload serves the next request', async () => {
    const refused = await send('run.exe', Buffer.alloc(3 * MIB))
    expect(refused.status).to.equal(415)
    expect((await send('a.txt', 'words')).status).to.equal(201)
  })

  it('N03 a row that cannot be written leaves no bytes, and is a 500 that tells nothing', () =>
    leavesNothing(async () => {
      const other = await aPlace({
        change: (ports) => ({
          ...ports,
          fileStore: createDiskFileStore({ folder: folder.path }),
          uploadedFiles: { ...ports.uploadedFiles, add: () => Promise.reject(new Error('relation upload_files')) },
        }),
      })
      try {
        const reply = await upload(other.url, await other.addApp(chatFile()), await mintOwn(other), 'a.txt', 'words')
        expect(reply.status).to.equal(500)
        expect(reply.text).to.not.contain('relation')
      } finally {
        await other.close()
      }
    }))

  it('N03 a full disk is a 503 that tells nothing, and leaves nothing', () =>
    leavesNothing(async () => {
      const other = await aPlace({
        change: (ports) => ({
          ...ports,
          fileStore: createDiskFileStore({
            folder: folder.path,
            synced: () => Promise.reject(Object.assign(new Error('ENOSPC: no space'), { code: 'ENOSPC' })),
          }),
        }),
      })
      try {
        const reply = await upload(other.url, await other.addApp(chatFile()), await mintOwn(other), 'a.txt', 'words')
        expect(`${reply.status} ${reply.json.error}`).to.equal('503 service_unavailable')
        expect(reply.text).to.not.contain('ENOSPC')
      } finally {
        await other.close()
      }
    }))

  it('N03 nobody uploads without a bearer, or to an app that is not there', () =>
    leavesNothing(async () => {
      expect((await upload(place.url, appId, 'dfoa_nobody', 'a.txt', 'x')).status).to.equal(401)
      expect((await upload(place.url, NOBODYS, token, 'a.txt', 'x')).status).to.equal(404)
      expect((await upload(place.url, 'not-an-id', token, 'a.txt', 'x')).status).to.equal(404)
    }))

  it('links serve a file as a download to whoever holds one, until they expire', async () => {
    const { id } = (await send("it's ü.html", '<script>alert(1)</script>')).json
    const link = place.ports.fileLinks.sign(id, place.clock.now() + 60_000)
    const reply = await fetch(place.url + link)
    expect(reply.status).to.equal(200)
    expect(await reply.text()).to.equal('<script>alert(1)</script>')
    // No browser may run what a stranger uploaded as if it were a page of ours.
    expect(reply.headers.get('content-disposition')).to.equal("attachment; filename*=UTF-8''it%27s%20%C3%BC.html")
    expect(reply.headers.get('content-security-policy')).to.equal("default-src 'none'; sandbox")
    expect(reply.headers.get('x-content-type-options')).to.equal('nosniff')
    expect(reply.headers.get('cache-control')).to.equal('private, no-store')

    const other = (await send('b.txt', 'other')).json.id
    const bad = [
      `/files/${id}`,
      link.replace(id, other),
      link.replace(/expires=(\d+)/, (_, at: string) => `expires=${Number(at) + 1}`),
      link.replace(/sign=./, 'sign=-'),
      `${link}&expires=9999999999`.replace(/expires=\d+&/, ''),
      place.ports.fileLinks.sign(id, place.clock.now()),
      place.ports.fileLinks.sign(NOBODYS, place.clock.now() + 60_000),
      '/files/..%2f..%2fetc%2fpasswd?expires=9999999999&sign=x',
    ]
    for (const one of bad) expect((await fetch(place.url + one)).status, one).to.equal(404)
  })

  it('are removed with what is known of them once they are older than they are kept', async () => {
    await send('a.txt', 'words')
    place.clock.advance(31 * 86_400_000)
    token = await mintOwn(place)
    const fresh = (await send('b.txt', 'words')).json.id
    expect((await place.cases.pruneFiles()).files).to.be.greaterThan(0)
    expect((await allOf(place.ports.fileStore.list())).map(({ id }) => id)).to.deep.equal([fresh])
    expect(await place.ports.uploadedFiles.find(fresh)).to.not.equal(null)
  })

  it('without a row are removed after a day, and not before', async () => {
    const id = '01900000-0000-7000-8000-0000000000aa'
    await place.ports.fileStore.put(
      id,
      (async function* () {
        yield Buffer.from('left by a crash')
      })(),
    )
    const writtenAtMs = (await allOf(place.ports.fileStore.list())).find((one) => one.id === id)?.writtenAtMs ?? 0
    place.clock.advance(writtenAtMs + 86_400_000 - place.clock.now())
    expect((await place.cases.pruneFiles()).orphans).to.equal(0)
    place.clock.advance(2)
    expect((await place.cases.pruneFiles()).orphans).to.equal(1)
    expect(await place.ports.fileStore.open(id)).to.equal(null)
  })
})
