import { expect } from 'chai'
import { linked } from '#adapters/runner-native/files/linked.ts'
import { pictureUrl, readStored, StoredFileFault } from '#adapters/runner-native/files/stored-file.ts'
import type { RunFiles } from '#application/ports/run-files.ts'
import { fileVariable } from '#domain/given-file.ts'
import type { UploadedFile } from '#domain/uploaded-file.ts'
import { aJob } from './support.ts'

const PICTURE: UploadedFile = {
  id: 'mine',
  workspaceId: 'w',
  appId: 'a',
  owner: { kind: 'account', id: 'p' },
  name: 'cat.png',
  extension: 'png',
  mimeType: 'image/png',
  size: 3,
  createdAtMs: 0,
}

function filesOf(file: UploadedFile, origin: string | null): RunFiles {
  return {
    find: async (id) => (id === file.id ? file : null),
    read: async (id) => (id === file.id ? new Uint8Array([1, 2, 3]) : null),
    linkTo: (id) => (origin === null ? null : `${origin}/${id}`),
  }
}

const job = (file = PICTURE, origin: string | null = 'https://f.test') => ({
  ...aJob('workflow', {}),
  files: filesOf(file, origin),
})
const named = (uploadFileId: string) =>
  fileVariable({ type: 'image', transferMethod: 'local_file', uploadFileId, name: null })
const faultOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => (error instanceof StoredFileFault ? error.message : error),
  )

describe('uploads in a run', () => {
  it('are handed to models inside the request, or by a link where that is chosen and can work', async () => {
    const data = 'data:image/png;base64,AQID'
    expect(await pictureUrl(job(), 'base64', named('mine'))).to.equal(data)
    expect(await pictureUrl(job(), 'url', named('mine'))).to.equal('https://f.test/mine')
    expect(await pictureUrl(job(PICTURE, null), 'url', named('mine'))).to.equal(data)
    const remote = fileVariable({ type: 'image', transferMethod: 'remote_url', url: 'https://x.test/a', name: null })
    expect(await pictureUrl(job(), 'base64', remote)).to.equal('https://x.test/a')
  })

  // A link made for an id that somebody put into a variable would open what the caller may not read.
  it('get no link that the caller may not have', async () => {
    for (const as of ['url', 'base64'] as const) {
      expect(await faultOf(pictureUrl(job(), as, named('theirs')))).to.contain('was not uploaded by whoever')
    }
  })

  it('are not read when they are larger than the reader can take, or when the run has none', async () => {
    const large = { ...PICTURE, size: 21 * 1024 * 1024 }
    expect(await faultOf(pictureUrl(job(large), 'base64', named('mine')))).to.contain('cat.png has more than')
    expect(await faultOf(readStored({}, 'mine', 10))).to.contain('was not uploaded')
  })

  it('have an address in variables, alone and in lists, and nothing else has', () => {
    const file = named('mine')
    expect(linked([file, 'x', { type: 'image' }], job())).to.deep.equal([
      { ...file, url: 'https://f.test/mine' },
      'x',
      { type: 'image' },
    ])
    expect(linked(file, job(PICTURE, null))).to.deep.equal(file)
  })
})
