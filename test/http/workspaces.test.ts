import { expect } from 'chai'
import { OWNER } from '../support/world.ts'
import { API, aPlace, mintExternal, mintOwn, NO_BEARER_LIMIT, type Place } from './place.ts'

const settings = { ...NO_BEARER_LIMIT, decidePerHour: 0 }

describe('workspaces', () => {
  let place: Place
  let token: string
  beforeEach(async () => {
    place = await aPlace({ settings })
    token = await mintOwn(place)
  })
  afterEach(() => place.close())

  it('G09 lists the caller’s own, oldest first, and details each', async () => {
    const { accountId, workspaceId } = place.owner
    const createdAtMs = place.clock.now() - 60_000
    const older = await place.edit.addWorkspace({ name: 'Older', accountId, role: 'editor', createdAtMs })
    const rows = [
      { id: older, name: 'Older', role: 'editor', status: 'normal', current: false },
      { id: workspaceId, name: `${OWNER.name}'s Workspace`, role: 'owner', status: 'normal', current: true },
    ]
    const { json } = await place.get(`${API}/workspaces`, { token })
    expect(json).to.deep.equal({ workspaces: rows, page: 1, limit: 200, total: 2, has_more: false, data: rows })
    const detail = await place.get(`${API}/workspaces/${older}`, { token })
    expect(detail.json).to.deep.equal({ ...rows[0], created_at: new Date(createdAtMs).toISOString() })
  })

  it('G09 a workspace of others, an unknown and an impossible id are the same 404', async () => {
    const { accountId } = await place.addMember('mia@example.test')
    const theirs = await place.edit.addWorkspace({ name: 'Theirs', accountId, createdAtMs: place.clock.now() })
    const answers = []
    for (const id of [theirs, place.ports.newId(), 'x'])
      answers.push(await place.get(`${API}/workspaces/${id}`, { token }))
    for (const reply of answers) {
      expect([reply.status, reply.json.message]).to.deep.equal([404, 'workspace not found'])
      expect(reply.text).to.equal(answers[0]?.text)
    }
  })

  it('G09 an external subject has none', async () => {
    const external = await mintExternal(place)
    const { json } = await place.get(`${API}/workspaces`, { token: external })
    expect(json).to.deep.equal({ workspaces: [], page: 1, limit: 200, total: 0, has_more: false, data: [] })
    const detail = await place.get(`${API}/workspaces/${place.owner.workspaceId}`, { token: external })
    expect(detail.status).to.equal(404)
  })
})
