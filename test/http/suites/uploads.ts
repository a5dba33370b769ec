import { expect } from 'chai'
import { aBridge, aPolicy } from '../../support/policy.ts'
import { PNG, upload } from '../../support/uploads.ts'
import type { WorldOptions } from '../../support/world.ts'
import { chatFile } from '../app-files.ts'
import { API, aPlace, mintExternal, mintOwn, type Place } from '../place.ts'

/** Uploads of both kinds of callers, on the stores that `options` names. */
export function uploadsSuite(name: string, options: WorldOptions): void {
  describe(`uploads by both kinds of callers: ${name}`, () => {
    let place: Place
    let [account, external, appId] = ['', '', '']
    before(async () => {
      place = await aPlace({
        ...options,
        change: (ports) => ({
          ...ports,
          bridge: aBridge(),
          policy: aPolicy({ modeOf: async () => 'public', permits: async () => true }),
        }),
      })
      account = await mintOwn(place)
      external = await mintExternal(place)
      appId = await place.addApp(chatFile())
    })
    after(() => place.close())

    const run = (token: string, id: string) =>
      place.post(`${API}/apps/${appId}/run`, {
        token,
        json: { inputs: {}, query: 'x', files: [{ type: 'image', transfer_method: 'local_file', upload_file_id: id }] },
      })

    it('N01 N03 an account and an external person each use their own uploads, and not the other’s', async () => {
      const ids: string[] = []
      for (const token of [account, external]) {
        const reply = await upload(place.url, appId, token, 'cat.png', PNG)
        expect(reply.status, reply.text).to.equal(201)
        ids.push(reply.json.id)
      }
      const [ours = '', theirs = ''] = ids
      const statuses = [
        await run(account, ours),
        await run(external, theirs),
        await run(account, theirs),
        await run(external, ours),
      ].map(({ status }) => status)
      expect(statuses).to.deep.equal([200, 200, 422, 422])
      const kinds = await Promise.all(ids.map(async (id) => (await place.ports.uploadedFiles.find(id))?.owner.kind))
      expect(kinds).to.deep.equal(['account', 'end_user'])
    })

    it('files of twenty that come at once are all kept, and all go with retention', async () => {
      const replies = await Promise.all(
        Array.from({ length: 20 }, (_, at) => upload(place.url, appId, account, `${at}.txt`, `text ${at}`)),
      )
      expect(new Set(replies.map(({ json }) => json.id)).size).to.equal(20)
      place.clock.advance(31 * 86_400_000)
      const both = await Promise.all([place.cases.pruneFiles(), place.cases.pruneFiles()])
      expect(both.reduce((sum, { files }) => sum + files, 0)).to.equal(22)
      for (const { json } of replies) expect(await place.ports.fileStore.open(json.id)).to.equal(null)
    })
  })
}
