import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import type { OverQuota, UploadQuota } from '#domain/upload-quota.ts'
import type { UploadedFile } from '#domain/uploaded-file.ts'
import { anApp, aWorkspace, NOW_MS } from '../support/builders.ts'
import type { Open, Opened } from '../support/seed.ts'

const NONE = { files: 0, bytes: 0 }
const UNBOUNDED: UploadQuota = { person: NONE, workspace: NONE }

/** What every UploadedFiles promises. */
export function uploadedFilesContract(name: string, open: Open): void {
  describe(`UploadedFiles contract: ${name}`, () => {
    let opened: Opened
    let [workspaceId, appId] = ['', '']
    before(async () => {
      opened = await open()
      ;({ workspaceId, appId } = await aPlaceForFiles())
    })
    after(() => opened.close())

    async function aPlaceForFiles() {
      const workspace = aWorkspace()
      await opened.seed.workspace(workspace)
      const app = anApp({ workspaceId: workspace.id })
      await opened.stores.apps.add(app)
      return { workspaceId: workspace.id, appId: app.id }
    }

    function aFile(change: Partial<UploadedFile> = {}): UploadedFile {
      return {
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
    }

    async function add(change: Partial<UploadedFile> = {}): Promise<UploadedFile> {
      const file = aFile(change)
      expect(await opened.stores.uploadedFiles.add(file, UNBOUNDED)).to.equal(null)
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

    it('sums what a person has everywhere, and a workspace of everybody', async () => {
      const { uploadedFiles } = opened.stores
      const [here, there] = [await aPlaceForFiles(), await aPlaceForFiles()]
      const owner = { kind: 'account' as const, id: randomUUID() }
      await add({ ...here, owner, size: 1 })
      await add({ ...there, owner, size: 20 })
      await add({ ...here, owner: { ...owner, kind: 'end_user' }, size: 300 })
      await add({ ...here, size: 5_000_000_000 })
      expect(await uploadedFiles.stored({ workspaceId: here.workspaceId, owner })).to.deep.equal({
        person: { files: 2, bytes: 21 },
        workspace: { files: 3, bytes: 5_000_000_301 },
      })
      const nobody = { workspaceId: randomUUID(), owner: { ...owner, id: randomUUID() } }
      expect(await uploadedFiles.stored(nobody)).to.deep.equal({ person: NONE, workspace: NONE })
    })

    it('N03 twenty added at once fill a bound exactly and never pass it, whichever it is', async () => {
      const bounds: readonly (readonly [of: OverQuota['of'], what: OverQuota['what'], max: number])[] = [
        ['person', 'files', 7],
        ['person', 'bytes', 79],
        ['workspace', 'files', 7],
        ['workspace', 'bytes', 79],
      ]
      for (const [of, what, max] of bounds) {
        const place = await aPlaceForFiles()
        const owner = { kind: 'account' as const, id: randomUUID() }
        const quota: UploadQuota = { ...UNBOUNDED, [of]: { ...NONE, [what]: max } }
        const answers = await Promise.all(
          Array.from({ length: 20 }, () => {
            const whose = of === 'person' ? owner : { ...owner, id: randomUUID() }
            return opened.stores.uploadedFiles.add(aFile({ ...place, owner: whose, size: 11 }), quota)
          }),
        )
        expect(answers.filter((over) => over === null).length, `${of} ${what}`).to.equal(7)
        expect(answers.filter((over) => over !== null)).to.deep.equal(Array(13).fill({ of, what, max }))
        const stored = await opened.stores.uploadedFiles.stored({ workspaceId: place.workspaceId, owner })
        expect(stored[of]).to.deep.equal({ files: 7, bytes: 77 })
      }
    })

    it('N03 what is forgotten makes room again, and a bound that is reached exactly is not passed', async () => {
      const { uploadedFiles } = opened.stores
      const owner = { kind: 'account' as const, id: randomUUID() }
      const quota: UploadQuota = { ...UNBOUNDED, person: { files: 0, bytes: 100 } }
      const createdAtMs = NOW_MS - 10 * 86_400_000
      expect(await uploadedFiles.add(aFile({ owner, size: 100, createdAtMs }), quota)).to.equal(null)
      const more = aFile({ owner, size: 1 })
      expect(await uploadedFiles.add(more, quota)).to.deep.equal({ of: 'person', what: 'bytes', max: 100 })
      expect(await uploadedFiles.find(more.id)).to.equal(null)
      await uploadedFiles.forget(createdAtMs + 1, 500)
      expect(await uploadedFiles.add(more, quota)).to.equal(null)
    })

    it('tells known ids from unknown ones', async () => {
      const { id } = await add()
      expect(await opened.stores.uploadedFiles.known([id, randomUUID(), 'x'])).to.deep.equal(new Set([id]))
      expect(await opened.stores.uploadedFiles.known([])).to.deep.equal(new Set())
    })
  })
}
