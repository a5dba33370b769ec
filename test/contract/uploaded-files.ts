import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import type { UploadedFile } from '#domain/uploaded-file.ts'
import { anApp, aWorkspace, NOW_MS } from '../support/builders.ts'
import type { Open, Opened } from '../support/seed.ts'

/** What every UploadedFiles promises. */
export function uploadedFilesContract(name: string, open: Open): void {
  describe(`UploadedFiles contract: ${name}`, () => {
    let opened: Opened
    let [workspaceId, appId] = ['', '']
    before(async () => {
      opened = await open()
      const workspace = aWorkspace()
      await opened.seed.workspace(workspace)
      const app = anApp({ workspaceId: workspace.id })
      await opened.stores.apps.add(app)
      workspaceId = workspace.id
      appId = app.id
    })
    after(() => opened.close())

    async function add(change: Partial<UploadedFile> = {}): Promise<UploadedFile> {
      const file: UploadedFile = {
        id: randomUUID(),
        workspaceId,
        appId,
        owner: { kind: 'account', id: randomUUID() },
        name: "it's ü.png",
        extension: 'png',
        mimeType: 'image/png',
        size: 5_000_000_000,
        createdAtMs: NOW_MS,
        ...change,
      }
      await opened.stores.uploadedFiles.add(file)
      return file
    }

    it('gives back what it was given', async () => {
      const file = await add()
      expect(await opened.stores.uploadedFiles.find(file.id)).to.deep.equal(file)
      expect(await opened.stores.uploadedFiles.find(randomUUID())).to.equal(null)
      expect(await opened.stores.uploadedFiles.find('../etc/passwd')).to.equal(null)
    })

    it("leaves out another owner's, another kind of owner's and another app's", async () => {
      const { uploadedFiles } = opened.stores
      const file = await add()
      const { owner } = file
      const ask = (scope: object) => uploadedFiles.own([file.id, randomUUID(), "'"], { appId, owner, ...scope })
      expect(await ask({})).to.deep.equal([file])
      expect(await ask({ owner: { ...owner, id: randomUUID() } })).to.deep.equal([])
      expect(await ask({ owner: { ...owner, kind: 'end_user' } })).to.deep.equal([])
      expect(await ask({ appId: randomUUID() })).to.deep.equal([])
      expect(await uploadedFiles.own([], { appId, owner })).to.deep.equal([])
    })

    it('forgets the oldest first, each of ten at once naming others, and never one of the instant itself', async () => {
      const { uploadedFiles } = opened.stores
      const old = NOW_MS - 86_400_000
      const files: UploadedFile[] = []
      for (let at = 0; at < 20; at++) files.push(await add({ createdAtMs: old + at }))
      const edge = await add({ createdAtMs: old + 20 })
      expect(await uploadedFiles.forget(old + 20, 1)).to.deep.equal([files[0]?.id])
      const all = (await Promise.all(Array.from({ length: 10 }, () => uploadedFiles.forget(old + 20, 5)))).flat()
      expect(all.toSorted()).to.deep.equal(
        files
          .slice(1)
          .map(({ id }) => id)
          .toSorted(),
      )
      expect(await uploadedFiles.find(edge.id)).to.deep.equal(edge)
    })

    it('tells known ids from unknown ones', async () => {
      const { id } = await add()
      expect(await opened.stores.uploadedFiles.known([id, randomUUID(), 'x'])).to.deep.equal(new Set([id]))
      expect(await opened.stores.uploadedFiles.known([])).to.deep.equal(new Set())
    })
  })
}
