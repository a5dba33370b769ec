import { randomUUID } from 'node:crypto'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { createDiskFileStore } from '#adapters/files/disk-file-store.ts'
import { createS3FileStore } from '#adapters/files/s3-file-store.ts'
import { createMemoryFileStore } from '#adapters/memory/file-store.ts'
import { fileStoreContract } from '../contract/file-store.ts'
import { allOf } from '../support/all-of.ts'
import { aFileFolder, type FileFolder } from '../support/file-folder.ts'
import { anS3Server } from '../support/s3-server.ts'

fileStoreContract('memory', async () => ({
  store: createMemoryFileStore({ now: Date.now }),
  isEmpty: null,
  close: async () => {},
}))

fileStoreContract('disk', async () => {
  const folder = await aFileFolder()
  return {
    store: createDiskFileStore({ folder: join(folder.path, 'files') }),
    isEmpty: async () => (await folder.files()).length === 0,
    close: () => folder.remove(),
  }
})

fileStoreContract('S3', async () => {
  const { settings, close } = await anS3Server()
  return { store: createS3FileStore(settings), isEmpty: null, close }
})

describe('files on disk', () => {
  let folder: FileFolder
  beforeEach(async () => {
    folder = await aFileFolder()
  })
  afterEach(() => folder.remove())

  // An id that comes from outside must not lead out of the folder, whoever forgot to check it.
  it('N03 opens, writes and removes nothing by an id that is a path', async () => {
    const outside = join(folder.path, 'secret')
    await writeFile(outside, 'not yours')
    const store = createDiskFileStore({ folder: join(folder.path, 'files') })
    for (const id of ['../secret', '..%2fsecret', outside, '', '.', '\0', `${randomUUID()}/../../secret`]) {
      expect(await store.open(id)).to.equal(null)
      expect(await store.remove(id)).to.equal(false)
      let refused = false
      await store.put(id, (async function* () {})()).catch(() => {
        refused = true
      })
      expect(refused).to.equal(true)
    }
    expect(await folder.files()).to.deep.equal([outside])
  })

  it('are readable by this user alone', async () => {
    const store = createDiskFileStore({ folder: folder.path })
    await store.put(
      randomUUID(),
      (async function* () {
        yield Buffer.from('x')
      })(),
    )
    for (const path of await folder.files()) expect((await stat(path)).mode & 0o777).to.equal(0o600)
  })

  it('that a crash left unfinished are listed and can be removed, and never opened', async () => {
    const store = createDiskFileStore({ folder: folder.path })
    const id = randomUUID()
    const write = store.put(
      id,
      (async function* () {
        yield Buffer.alloc(2_000_000)
        const unfinished = await allOf(store.list())
        expect(unfinished.map((one) => one.id)).to.deep.equal([id])
        expect(await store.open(id)).to.equal(null)
        expect(await store.remove(id)).to.equal(true)
        throw new Error('the process died')
      })(),
    )
    await write.catch(() => {})
    expect(await folder.files()).to.deep.equal([])
  })
})

describe('files in S3', () => {
  it('are a 503 while the service is away', async () => {
    const { settings, close } = await anS3Server()
    await close()
    const store = createS3FileStore(settings)
    const asked = [store.open(randomUUID()), store.remove(randomUUID()), allOf(store.list())]
    for (const outcome of await Promise.allSettled(asked)) {
      expect(outcome).to.have.nested.property('reason.code', 'service_unavailable')
    }
  })

  it('are refused with another key, and other objects of the bucket are not ours', async () => {
    const { settings, close } = await anS3Server()
    try {
      const ours = createS3FileStore(settings)
      const others = createS3FileStore({ ...settings, prefix: 'others/' })
      const wrong = createS3FileStore({ ...settings, secretKey: 'WRONG' })
      const bytes = async function* () {
        yield Buffer.from('x')
      }
      await others.put(randomUUID(), bytes())
      expect(await allOf(ours.list())).to.deep.equal([])
      let refused = false
      await wrong.put(randomUUID(), bytes()).catch(() => {
        refused = true
      })
      expect(refused).to.equal(true)
    } finally {
      await close()
    }
  })
})
